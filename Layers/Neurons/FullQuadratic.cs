using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// A full quadratic form (Zoumpourlis et al. 2017; Mantini and Shah 2021): y = x^T M x + w x + b, M symmetric.
/// Cost per neuron: n(n + 1)/2 + n parameters, n^2 + 2n multiply-adds. It is for narrow layers, and can be compressed
/// to the efficient form.
/// </summary>
/// <param name="LearningRate">The factor for the learning rate of M. M needs smaller steps than w, because n^2 products of inputs change y together.</param>
public sealed record FullQuadraticNeuron(float LearningRate = 0.01f) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "full";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * (inputs * (inputs + 1) / 2 + inputs), channels * (inputs * inputs + 2 * inputs));

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => new FullQuadraticLayer(this, projection, bias);
}

sealed class FullQuadraticEntry() : NeuronEntry("full", "x^T M x + w x + b, M symmetric; for narrow layers")
{
    static readonly EntryOption<float> rate = EntryOption.Number("full-learning-rate", "The factor for the learning rate of M", 0.01f, 0f, 1e6f);

    public override IReadOnlyList<EntryOption> Options => [rate];

    public override Neuron Make(Selection options) => Neurons.FullQuadratic(options.Get(rate));
}

/// <summary>A layer of <see cref="FullQuadraticNeuron"/>. M starts at 0, so the layer starts linear.</summary>
public sealed class FullQuadraticLayer : NeuronLayer
{
    internal FullQuadraticLayer(FullQuadraticNeuron neuron, Projection projection, bool bias) : base(neuron, projection)
    {
        var n = projection.FanIn;
        Weight = Weights("weight", Initializers.KaimingNormal);
        Form = Register("form", new Parameter(Tensor.Zeros([n * (n + 1) / 2, projection.OutChannels])) { Layout = FileLayout.OutputsFirst }, new GroupSettings("form", neuron.LearningRate));
        Bias = Offset(bias);
    }

    /// <summary>The weights w.</summary>
    public Parameter Weight { get; }

    /// <summary>The forms, [n(n + 1)/2, out]: the upper triangle of each neuron's M, row by row.</summary>
    public Parameter Form { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x) =>
        Projection.Apply(x, Weight, Bias) + Projection.Inputs(x).QuadraticForm(Form.UnpackSymmetric(Projection.FanIn));
}
