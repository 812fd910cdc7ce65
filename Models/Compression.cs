using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The result of compressing one layer.</summary>
/// <param name="Path">The path of the layer in the network.</param>
/// <param name="Rank">The rank k of its neurons after the compression.</param>
/// <param name="FrobeniusError">The error |M - M_k| / |M| over all neurons.</param>
/// <param name="OutputError">The error |y - y_k| / |y| on inputs of the original network.</param>
public sealed record LayerCompression(string Path, int Rank, double FrobeniusError, double OutputError);

/// <summary>
/// Converts networks from one kind of neuron to another and keeps their outputs as far as possible, for fine-tuning: full quadratic forms to the efficient
/// neuron of rank k, and linear networks to quadratic ones.
/// </summary>
public static class Compression
{
    /// <summary>Returns the spectra of all full quadratic layers by path.</summary>
    /// <param name="network">A network with layers of <see cref="Neurons.FullQuadratic"/>; other layers have no spectrum.</param>
    public static IReadOnlyDictionary<string, LayerSpectrum> Spectra(ResNet network) =>
        Full(network).ToDictionary(entry => entry.Path, entry => new LayerSpectrum(entry.Layer));

    /// <summary>Replaces every full quadratic layer by efficient neurons of the given rank.</summary>
    /// <param name="network">A network with layers of <see cref="Neurons.FullQuadratic"/>; it is not changed.</param>
    /// <param name="spectra">The spectra of the network's layers, from <see cref="Spectra"/>.</param>
    /// <param name="rank">The rank k of each layer by its path; at most n is used.</param>
    /// <param name="probe">The images on which the output errors are measured.</param>
    /// <param name="options">Options for the training of the compressed neurons.</param>
    /// <exception cref="ArgumentException">The network has no full quadratic layer.</exception>
    public static (ResNet Network, IReadOnlyList<LayerCompression> Layers) Compress(
        ResNet network, IReadOnlyDictionary<string, LayerSpectrum> spectra, Func<string, int> rank, Tensor probe, QuadraticOptions? options = null)
    {
        var layers = Full(network).ToDictionary(entry => entry.Path, entry => entry.Layer);
        Check.That(layers.Count > 0, nameof(Compress), $"the network ({network.Options.Neuron.Name} neurons) has no full quadratic layer; train one with Neurons.FullQuadratic().");
        options = (options ?? new QuadraticOptions()) with { Vectorized = false };
        var ranks = layers.ToDictionary(entry => entry.Key, entry => Math.Min(rank(entry.Key), entry.Value.Projection.FanIn));
        var truncated = layers.ToDictionary(entry => entry.Key, entry => spectra[entry.Key].Truncate(ranks[entry.Key], options));
        var neurons = new Dictionary<string, Neuron>(network.Options.NeuronOf);
        foreach (var (path, k) in ranks) neurons[path] = Neurons.Quadratic(k, options);
        var compressed = new ResNet(network.Options with { NeuronOf = neurons });
        Copy([.. State(network), .. truncated.SelectMany(layer => State(layer.Value).Select(entry => ($"{layer.Key}.{entry.Path}", entry.Values)))], compressed);

        var errors = OutputErrors(network, layers, truncated, probe);
        return (compressed.To(network.Parameters().First().Device),
            [.. layers.Keys.Select(path => new LayerCompression(path, ranks[path], spectra[path].RelativeError(ranks[path]), errors[path]))]);
    }

    /// <summary>Returns a linear network as a quadratic network with the same outputs, bit for bit: the same weights, and Lambda = 0.</summary>
    /// <param name="network">The linear network, which is not changed. The convolutions in its blocks become quadratic.</param>
    /// <param name="rank">The rank k.</param>
    /// <param name="options">Options for the training of the neurons from now on.</param>
    /// <exception cref="ArgumentException">The options ask for a retracted basis, which would change the weights.</exception>
    public static ResNet ToQuadratic(ResNet network, int rank, QuadraticOptions? options = null)
    {
        options = (options ?? new QuadraticOptions()) with { LambdaDeviation = 0f, Vectorized = true };
        Check.That(options.Basis != Basis.Retracted, nameof(ToQuadratic), $"a retracted basis would change the weights, which must stay the same; use {Basis.Free} or {Basis.Penalized}.");
        var quadratic = new ResNet(network.Options with { Neuron = Neurons.Quadratic(rank, options) });
        Copy(State(network), quadratic);
        return quadratic.To(network.Parameters().First().Device);
    }

    static IEnumerable<(string Path, FullQuadraticLayer Layer)> Full(ResNet network) =>
        network.Modules().Where(entry => entry.Module is FullQuadraticLayer).Select(entry => (entry.Path, (FullQuadraticLayer)entry.Module));

    static IEnumerable<(string Path, Tensor Values)> State(Module module) =>
        module.NamedParameters().Select(entry => (entry.Path, (Tensor)entry.Parameter)).Concat(module.NamedBuffers().Select(entry => (entry.Path, (Tensor)entry.Buffer)));

    // Later values win: the values of a truncated layer replace the values of the full layer. Parameters that the source lacks (Lambda) keep their initial values.
    static void Copy(IEnumerable<(string Path, Tensor Values)> source, Module target)
    {
        var values = new Dictionary<string, Tensor>();
        foreach (var (path, tensor) in source) values[path] = tensor;
        foreach (var (path, tensor) in State(target))
            if (values.TryGetValue(path, out var value)) tensor.Assign(value);
    }

    static Dictionary<string, double> OutputErrors(ResNet network, Dictionary<string, FullQuadraticLayer> layers, Dictionary<string, QuadraticNeuronLayer> truncated, Tensor probe)
    {
        var paths = layers.ToDictionary(entry => (Module)entry.Value, entry => entry.Key);
        var errors = new Dictionary<string, double>();
        using (new EvaluationMode())
        using (new NoGrad())
        using (new TensorScope())
        using (new ModuleTrace((module, x, y) =>
        {
            if (!paths.TryGetValue(module, out var path)) return;
            var difference = truncated[path][x] - y;
            errors[path] = Math.Sqrt(difference.Square().Sum().Item() / Math.Max(y.Square().Sum().Item(), float.Epsilon));
        }))
            network.Forward(probe);
        return errors;
    }
}
