using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A class and how probable a network holds it, from 0 to 1.</summary>
/// <param name="Class">Its name.</param>
/// <param name="Probability">By softmax: those of all classes add up to 1.</param>
public readonly record struct Prediction(string Class, float Probability)
{
    /// <summary>"cat 93.1 %".</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class} {100f * Probability:0.0} %");
}

/// <summary>What the pixels and the outputs of a network mean; with the <see cref="NetworkConfiguration"/> and the weights, a file that explains itself.</summary>
/// <param name="Classes">One name an output.</param>
/// <param name="Mean">Of each channel, for pixels scaled to [0, 1].</param>
/// <param name="Std">Of each channel.</param>
/// <param name="Share">Side of the part of a photograph that is seen, by side of the largest centred part of the right proportions.</param>
public sealed record ImageDescription(IReadOnlyList<string> Classes, IReadOnlyList<float> Mean, IReadOnlyList<float> Std, float Share = 1f);

/// <summary>
/// A trained network with all it takes to judge image files: the size it reads, the normalisation, the names of the classes. Saved, it is
/// one safetensors file, which every reader of safetensors and every command of the tool takes for weights.
/// Threads may share one.
/// <code>foreach (var (name, probability) in Classifier.Read("clothes.safetensors").Classify(Picture.Read("shoe.png"))) ...</code>
/// </summary>
public sealed class Classifier
{
    readonly Normalization normalization;

    /// <summary>A classifier over a network, which it calls in an <see cref="EvaluationMode"/>.</summary>
    /// <param name="configuration">How the network is built, and the size and the channels that it reads.</param>
    /// <param name="network">[N, H, W, C] to logits [N, classes]; it is kept, and stays in its mode.</param>
    /// <param name="images">What pixels and outputs mean, for as many channels and classes as the configuration has.</param>
    /// <exception cref="ArgumentException">Channels or classes do not fit together.</exception>
    public Classifier(NetworkConfiguration configuration, Module network, ImageDescription images)
    {
        Check.That(images.Classes.Count == configuration.Classes, nameof(Classifier), $"the network tells {configuration.Classes} classes apart but {images.Classes.Count} are named.");
        Check.That(images.Mean.Count == configuration.Channels, nameof(Classifier), $"the network reads {configuration.Channels} channels but the normalisation is for {images.Mean.Count}.");
        (Configuration, Network, Images) = (configuration.Complete(), network, images);
        normalization = new([.. images.Mean], [.. images.Std]);
    }

    /// <summary>A classifier for the images of a data set.</summary>
    /// <param name="configuration">How the network is built; it sees as much of a picture as <see cref="InputForm.Share"/> says.</param>
    /// <param name="network">[N, H, W, C] to logits [N, classes]; it is kept, and stays in its mode.</param>
    /// <param name="classes">One name an output.</param>
    /// <param name="normalization">That of the images which the network learned from.</param>
    /// <exception cref="ArgumentException">Channels or classes do not fit together.</exception>
    public Classifier(NetworkConfiguration configuration, Module network, IReadOnlyList<string> classes, Normalization normalization)
        : this(configuration, network, new ImageDescription(classes, normalization.Mean, normalization.Std, Networks.Registry.Get(configuration.Model).Input.Share))
    {
    }

    /// <summary>How the network is built.</summary>
    public NetworkConfiguration Configuration { get; }

    /// <summary>[N, H, W, C] to logits [N, classes].</summary>
    public Module Network { get; }

    /// <summary>What pixels and outputs mean.</summary>
    public ImageDescription Images { get; }

    /// <summary>Values of one input: height x width x channels.</summary>
    public int InputLength => Configuration.InputShape().Elements;

    /// <summary>Reads a checkpoint of a run, or a file that <see cref="Save"/> wrote.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="InvalidFileException">The file is damaged, or does not say what its images are.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static Classifier Read(string path)
    {
        using var file = SafeTensors.Open(path);
        return Read(file, path);
    }

    /// <summary>Reads a classifier out of an open file.</summary>
    /// <param name="file">Read, and left open.</param>
    /// <param name="name">What errors call it.</param>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static Classifier Read(SafeTensors file, string name)
    {
        var configuration = JsonSerializer.Deserialize(Value(Checkpoint.NetworkKey), ModelsJson.Default.NetworkConfiguration)!;
        var images = JsonSerializer.Deserialize(Value(Checkpoint.ImagesKey), ModelsJson.Default.ImageDescription)!;
        var network = configuration.Build().Eval();      // for who calls it without the classifier
        Checkpoint.Load(name, Checkpoint.WeightsOf(file.ReadAll()), network);
        return new(configuration, network, images);

        string Value(string key) => file.Metadata.GetValueOrDefault(key)
            ?? throw new InvalidFileException(name, $"metadata \"{key}\"", "it is missing, so the file does not say what its weights are for", "Use a checkpoint of a run, or write it with `quad export --format safetensors` or Classifier.Save.");
    }

    /// <summary>Whether a file says what its images are, as <see cref="Save"/> writes it.</summary>
    /// <param name="metadata">Of the file: <see cref="SafeTensors.Metadata"/>.</param>
    public static bool Describes(IReadOnlyDictionary<string, string> metadata) => metadata.ContainsKey(Checkpoint.ImagesKey) && metadata.ContainsKey(Checkpoint.NetworkKey);

    /// <summary>Writes network, weights and meaning as one file.</summary>
    /// <param name="path">The file, replaced where it exists; its folder must exist.</param>
    /// <exception cref="IOException">The file cannot be written; an earlier one is untouched.</exception>
    public void Save(string path) => SafeTensors.Write(path, Network.StateDictionary(), new Dictionary<string, string>
    {
        [Checkpoint.NetworkKey] = JsonSerializer.Serialize(Configuration, ModelsJson.Compact.NetworkConfiguration),
        [Checkpoint.ImagesKey] = JsonSerializer.Serialize(Images, ModelsJson.Compact.ImageDescription),
    });

    /// <summary>The classes of a picture, the most probable first.</summary>
    /// <param name="picture">Of any size, grey or in colour.</param>
    public IReadOnlyList<Prediction> Classify(Picture picture) => Rank(Logits(Input(picture)));

    /// <summary>A picture cut, resized and normalized to what the network reads: [H, W, C].</summary>
    /// <param name="picture">Of any size, grey or in colour.</param>
    public float[] Input(Picture picture)
    {
        var (height, width) = (Configuration.Height, Configuration.Width);
        var seen = picture.WithChannels(Configuration.Channels).Resample(Frame.Center(picture.Height, picture.Width, height, width, Images.Share), height, width);
        var input = new float[InputLength];
        normalization.Apply(seen.Pixels, input);
        return input;
    }

    /// <summary>The inputs in a file: one in an image; in a file of raw tensors as many as there are.</summary>
    /// <param name="path">An image; or, ending in ".f32", normalized float32 values [N, H, W, C], little-endian, and nothing else.</param>
    /// <exception cref="InvalidFileException">The file is damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public IEnumerable<float[]> Inputs(string path)
    {
        if (!Path.GetExtension(path).Equals(".f32", StringComparison.OrdinalIgnoreCase)) return [Input(Picture.Read(path, Configuration.Channels))];
        var bytes = File.ReadAllBytes(path);
        var size = sizeof(float) * InputLength;
        if (bytes.Length == 0 || bytes.Length % size != 0)
            throw new InvalidFileException(path, "", $"it has {bytes.Length} bytes, no multiple of the {size} of one input {Configuration.InputShape()} in float32");
        return bytes.Chunk(size).Select(chunk => MemoryMarshal.Cast<byte, float>(chunk).ToArray());
    }

    /// <summary>The network's outputs for one input of <see cref="InputLength"/> values, or several one after the other.</summary>
    /// <param name="inputs">[N, H, W, C], normalized as <see cref="Input"/> does.</param>
    /// <exception cref="ArgumentException">The values are no whole number of inputs.</exception>
    public float[] Logits(ReadOnlySpan<float> inputs)
    {
        Check.That(inputs.Length > 0 && inputs.Length % InputLength == 0, nameof(Classifier), $"{inputs.Length} values are no whole number of inputs {Configuration.InputShape()}.");
        using var evaluation = new EvaluationMode();
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        return Network.Forward(Tensor.FromSpan(inputs, Configuration.InputShape(inputs.Length / InputLength), Network.Device)).ToArray();
    }

    /// <summary>The classes and their probabilities (softmax) from the outputs for one input, the most probable first.</summary>
    /// <param name="logits">One a class.</param>
    /// <exception cref="InvalidOperationException">An output is NaN or infinite, and says nothing.</exception>
    public IReadOnlyList<Prediction> Rank(float[] logits)
    {
        if (Array.FindIndex(logits, logit => !float.IsFinite(logit)) is >= 0 and var wrong)
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"the network's output for {Images.Classes[wrong]} is {logits[wrong]}, so its answer says nothing: the input is not finite, or the weights are too large for float32."));
        var highest = logits.Max();
        float[] exponentials = [.. logits.Select(logit => MathF.Exp(logit - highest))];
        var sum = exponentials.Sum();
        return [.. Images.Classes.Zip(exponentials, (name, e) => new Prediction(name, e / sum)).OrderByDescending(prediction => prediction.Probability)];
    }
}
