using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// Weights and everything that training needs to continue, in one safetensors file. It contains parameters and buffers under their PyTorch keys, and the optimizer's
/// tensors under "optimizer.SLOT.KEY" (and "optimizer.steps.KEY" if a parameter took another number of steps than the run). The metadata are the <see cref="TrainingState"/>, the <see cref="NetworkConfiguration"/>, the <see cref="ImageDescription"/> and a
/// checksum of all values. Other readers of safetensors can read the weights. The same state gives the same bytes.
/// </summary>
public static class Checkpoint
{
    const string SlotPrefix = "optimizer.", StepsSlot = "steps";
    const string StateKey = "quadengine.state", ChecksumKey = "quadengine.sha256";

    internal const string NetworkKey = "quadengine.network", ImagesKey = "quadengine.images";

    /// <summary>Writes only the weights.</summary>
    /// <param name="path">The file, which is replaced if it exists; its folder must exist.</param>
    /// <param name="network">The network whose parameters and buffers are written.</param>
    /// <param name="configuration">The configuration that <see cref="ReadNetwork"/> returns; null for none.</param>
    /// <param name="images">The description that <see cref="ReadImages"/> returns; null for none.</param>
    /// <exception cref="IOException">The file cannot be written; an earlier file is unchanged.</exception>
    public static void SaveWeights(string path, ModuleBase network, NetworkConfiguration? configuration = null, ImageDescription? images = null) =>
        Save(path, network.StateDictionary(), configuration, images, state: null);

    /// <summary>Writes everything that a run needs to continue.</summary>
    /// <param name="path">The file, which is replaced if it exists; its folder must exist.</param>
    /// <param name="network">The network whose parameters, buffers and generators are written.</param>
    /// <param name="optimizer">The optimizer of the network's parameters.</param>
    /// <param name="state">The state of the run, without the generators of modules, which come from the network.</param>
    /// <param name="configuration">The configuration that <see cref="ReadNetwork"/> returns; null for none.</param>
    /// <param name="images">The description that <see cref="ReadImages"/> returns; null for none.</param>
    /// <exception cref="IOException">The file cannot be written; an earlier file is unchanged.</exception>
    public static void Save(string path, ModuleBase network, Optimizer optimizer, TrainingState state, NetworkConfiguration? configuration = null, ImageDescription? images = null) =>
        Save(path, network.StateDictionary().Concat(Slots(network, optimizer, state.Step)), configuration, images, state with { Generators = GeneratorsOf(network) });

    /// <summary>Restores a run as it was when the file was saved: weights, optimizer, <see cref="Generator.Default"/> and the generators of modules.</summary>
    /// <param name="path">A checkpoint with a training state, such as last.safetensors.</param>
    /// <param name="network">A network with the same construction as the saved one.</param>
    /// <param name="optimizer">An optimizer of the saved kind, over the parameters of this network.</param>
    /// <exception cref="InvalidFileException">The file is damaged, or belongs to another network or optimizer. In this case nothing was changed.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static TrainingState Restore(string path, ModuleBase network, Optimizer optimizer)
    {
        var (tensors, metadata, _) = Read(path);
        if (!metadata.TryGetValue(StateKey, out var json))
            throw new InvalidFileException(path, "", "the file has weights but no training state", "Evaluate it, or resume from last.safetensors.");
        var state = Parse(path, StateKey, json, ModelsJson.Default.TrainingState);
        if (state.Step < 0) throw new InvalidFileException(path, $"metadata \"{StateKey}\"", $"its step is {state.Step}, expected 0 or more");

        var generators = RequireGenerators(path, state, network);
        var slots = RequireSlots(path, tensors, network, optimizer);
        Load(path, WeightsOf(tensors), network);
        foreach (var (parameter, values, steps) in slots)
        {
            using var scope = new TensorScope();
            optimizer.Restore(parameter, [.. values.Select(value => Filled(value, parameter))], steps ?? state.Step);
        }

        optimizer.Steps = state.Step;
        foreach (var (generator, saved) in generators) generator.Restore(saved.Seed, saved.Position);
        Generator.Default.Restore(state.RandomSeed, state.RandomPosition);
        return state;
    }

    /// <summary>
    /// Loads the weights of a file into a network. The file is a checkpoint of this engine, another safetensors file, or a PyTorch checkpoint. A prefix that all names
    /// share because of a wrapper ("module.", "_orig_mod.", "model.") is dropped if the network does not have it.
    /// </summary>
    /// <param name="path">The file. Its content decides the format, not its name.</param>
    /// <param name="network">The network that receives the values, on its device.</param>
    /// <returns>The parts of the file that were left out, one phrase each, e.g. <c>the prefix "module." of all names</c>; usually empty.</returns>
    /// <exception cref="InvalidFileException">The file is damaged or of an unknown format, its weights belong to another network, or a weight is NaN or infinite. In this case nothing was changed.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static IReadOnlyList<string> LoadWeights(string path, ModuleBase network)
    {
        var (tensors, _, leftOut) = Read(path);
        var prefix = Load(path, WeightsOf(tensors), network);
        return prefix.Length == 0 ? leftOut : [.. leftOut, $"the prefix \"{prefix}\" of all names"];
    }

    /// <summary>Returns the configuration of the network that a checkpoint of this engine was saved from; null if the file does not contain it.</summary>
    /// <param name="path">Any file that <see cref="LoadWeights"/> reads.</param>
    /// <exception cref="InvalidFileException">The file is damaged or of an unknown format.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static NetworkConfiguration? ReadNetwork(string path) =>
        Read(path).Metadata.TryGetValue(NetworkKey, out var json) ? Parse(path, NetworkKey, json, ModelsJson.Default.NetworkConfiguration) : null;

    /// <summary>Returns the description of the network's images; null if the file does not contain it.</summary>
    /// <inheritdoc cref="ReadNetwork"/>
    public static ImageDescription? ReadImages(string path) =>
        Read(path).Metadata.TryGetValue(ImagesKey, out var json) ? Parse(path, ImagesKey, json, ModelsJson.Default.ImageDescription) : null;

    static void Save(string path, IEnumerable<KeyValuePair<string, HostTensor>> tensors, NetworkConfiguration? configuration, ImageDescription? images, TrainingState? state)
    {
        var ordered = tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal).ToList();
        var metadata = new Dictionary<string, string> { [ChecksumKey] = Checksum(ordered) };
        if (configuration is not null) metadata[NetworkKey] = JsonSerializer.Serialize(configuration.Complete(), ModelsJson.Compact.NetworkConfiguration);
        if (images is not null) metadata[ImagesKey] = JsonSerializer.Serialize(images, ModelsJson.Compact.ImageDescription);
        if (state is not null) metadata[StateKey] = JsonSerializer.Serialize(state, ModelsJson.Compact.TrainingState);
        SafeTensors.Write(path, ordered, metadata);
    }

    static (IReadOnlyDictionary<string, HostTensor> Tensors, IReadOnlyDictionary<string, string> Metadata, IReadOnlyList<string> LeftOut) Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no file {path}.", path);
        var tensors = WeightFile.Read(path, out var metadata, out var leftOut);
        if (metadata.TryGetValue(ChecksumKey, out var expected) && Checksum(tensors.OrderBy(tensor => tensor.Key, StringComparer.Ordinal)) is var got && got != expected)
            throw new InvalidFileException(path, "", $"the SHA-256 of its values is {got} but it was saved as {expected}",
                "The file is damaged: use another checkpoint of the run, or train again.");
        return (tensors, metadata, leftOut);
    }

    static T Parse<T>(string path, string key, string json, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type)!;
        }
        catch (JsonException e)
        {
            throw new InvalidFileException(path, $"metadata \"{key}\"", e.Message.TrimEnd('.'), "The file is damaged, or a version before 0.2 wrote it: train again.");
        }
    }

    /// <summary>Loads weights into a network, without a prefix that all names share and that the network lacks. Returns that prefix.</summary>
    internal static string Load(string path, IReadOnlyDictionary<string, HostTensor> weights, ModuleBase network)
    {
        var (parameters, buffers) = (network.NamedParameters().Select(entry => entry.Path).ToArray(), network.NamedBuffers().Select(entry => entry.Path).ToArray());
        var prefix = SharedPrefix.Of([.. weights.Keys], [.. parameters, .. buffers]);
        if (prefix.Length > 0) weights = weights.ToDictionary(tensor => tensor.Key[prefix.Length..], tensor => tensor.Value);
        CheckFinite(path, weights, parameters, buffers);
        try
        {
            network.LoadStateDictionary(weights);
            return prefix;
        }
        catch (ArgumentException e)
        {
            throw new InvalidFileException(path, "", e.Message.TrimEnd('.'), "The file belongs to another network than the requested one.");
        }
    }

    // A buffer that is a mask may hold infinities. No other tensor may, and NaN is wrong in every tensor.
    static void CheckFinite(string path, IReadOnlyDictionary<string, HostTensor> weights, string[] parameters, string[] buffers)
    {
        foreach (var name in parameters.Concat(buffers))
        {
            if (!weights.TryGetValue(name, out var tensor)) continue;
            var mayBeInfinite = buffers.Contains(name) && !name.EndsWith("running_mean", StringComparison.Ordinal) && !name.EndsWith("running_var", StringComparison.Ordinal);
            var wrong = Array.FindIndex(tensor.Values, value => mayBeInfinite ? float.IsNaN(value) : !float.IsFinite(value));
            if (wrong >= 0)
                throw new InvalidFileException(path, $"tensor \"{name}\" {tensor}", string.Create(CultureInfo.InvariantCulture, $"element {wrong} is {tensor.Values[wrong]}, so every answer of the network would be meaningless"),
                    "The training diverged before it was saved, or the file is damaged: use an earlier checkpoint.");
        }
    }

    /// <summary>Parameters and buffers, without the optimizer's tensors.</summary>
    internal static IReadOnlyDictionary<string, HostTensor> WeightsOf(IReadOnlyDictionary<string, HostTensor> tensors) =>
        tensors.Where(tensor => !tensor.Key.StartsWith(SlotPrefix, StringComparison.Ordinal)).ToDictionary();

    // ---- generators

    // Returns null if the network has no generators, so that the state does not mention them.
    static SortedDictionary<string, GeneratorState>? GeneratorsOf(ModuleBase network)
    {
        var generators = network.NamedGenerators().ToDictionary(own => own.Path, own => new GeneratorState(own.Generator.Seed, own.Generator.Position));
        return generators.Count == 0 ? null : new(generators, StringComparer.Ordinal);
    }

    static List<(Generator Generator, GeneratorState Saved)> RequireGenerators(string path, TrainingState state, ModuleBase network)
    {
        var own = network.NamedGenerators().ToDictionary(entry => entry.Path, entry => entry.Generator);
        if (state.Generators?.Keys.FirstOrDefault(name => !own.ContainsKey(name)) is { } missing)
            throw new InvalidFileException(path, "", $"it has the state of a random generator \"{missing}\", and no module of this network has one with that name",
                "Make the network as it was when the file was saved, with the same generators.");
        return [.. own.Where(entry => state.Generators?.ContainsKey(entry.Key) is true).Select(entry => (entry.Value, state.Generators![entry.Key]))];
    }

    // ---- the optimizer's tensors

    static IEnumerable<KeyValuePair<string, HostTensor>> Slots(ModuleBase network, Optimizer optimizer, int steps)
    {
        foreach (var (key, parameter) in network.NamedParameters())
        {
            foreach (var (slot, value) in optimizer.Slots.Zip(optimizer.StateOf(parameter))) yield return KeyValuePair.Create(SlotKey(slot, key), ModuleBase.ToFile(value, parameter.Layout));
            if (optimizer.StateOf(parameter).Count > 0 && optimizer.StepsOf(parameter) is var own && own != steps)
                yield return KeyValuePair.Create(SlotKey(StepsSlot, key), new HostTensor([own], []));
        }
    }

    // A parameter that was never updated (because it was frozen) has no tensors in the file. Any other parameter has all of them.
    static List<(Parameter Parameter, HostTensor[] Values, int? Steps)> RequireSlots(string path, IReadOnlyDictionary<string, HostTensor> tensors, ModuleBase network, Optimizer optimizer)
    {
        var found = new List<(Parameter, HostTensor[], int?)>();
        var unused = tensors.Keys.Where(key => key.StartsWith(SlotPrefix, StringComparison.Ordinal)).ToHashSet();
        foreach (var (key, parameter) in network.NamedParameters())
        {
            var keys = optimizer.Slots.Select(slot => SlotKey(slot, key)).ToArray();
            var values = keys.Where(tensors.ContainsKey).Select(slot => tensors[slot]).ToArray();
            if (values.Length == 0) continue;
            int? steps = tensors.TryGetValue(SlotKey(StepsSlot, key), out var own) ? own.Values is [>= 0f and <= int.MaxValue / 2 and var counted] ? (int)counted : -1 : null;
            if (values.Length < keys.Length || steps < 0 || values.Any(value => value.Values.Length != parameter.Length))
                throw new InvalidFileException(path, "", $"the optimizer's tensors of \"{key}\" ({string.Join(", ", keys)}) are incomplete, or their size differs from the parameter's");
            unused.ExceptWith([.. keys, SlotKey(StepsSlot, key)]);
            found.Add((parameter, values, steps));
        }

        if (unused.Count > 0)
            throw new InvalidFileException(path, "", $"\"{unused.First()}\" belongs to no parameter of this network under {optimizer.GetType().Name}",
                "The file belongs to another network or optimizer than the run.");
        return found;
    }

    static string SlotKey(string slot, string parameter) => $"{SlotPrefix}{slot}.{parameter}";

    static Tensor Filled(HostTensor values, Parameter parameter)
    {
        var slot = Tensor.Like(parameter);
        ModuleBase.FromFile(values, slot, parameter.Layout);
        return slot;
    }

    // ---- the checksum

    const int HashChunk = 1 << 20;      // elements; a span of bytes cannot exceed 2 GiB

    static string Checksum(IEnumerable<KeyValuePair<string, HostTensor>> ordered)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (name, tensor) in ordered)
        {
            hash.AppendData(Encoding.UTF8.GetBytes($"{name} {tensor}\n"));
            for (var start = 0; start < tensor.Values.Length; start += HashChunk)
                hash.AppendData(MemoryMarshal.AsBytes(tensor.Values.AsSpan(start, Math.Min(HashChunk, tensor.Values.Length - start))));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
