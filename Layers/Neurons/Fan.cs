namespace QuadEngine.Layers;

/// <summary>
/// The quadratic neuron of Fan et al. (2018): y = (w1 x + b1)(w2 x + b2) + w3 (x*x) + c. It starts as a linear neuron (ReLinear,
/// Fan et al. 2021): w2 = 0, b2 = 1, w3 = 0, c = 0. Its quadratic part has its own small learning rate.
/// Cost per neuron: 3n + 3 parameters, 3n + 1 multiply-adds, and n squarings that all neurons of a layer share.
/// </summary>
/// <param name="LearningRate">The factor for the learning rate of w2, b2, w3 and c; 1e-4 in the published code.</param>
public sealed record FanNeuron(float LearningRate = 1e-4f) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "fan";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * (3 * inputs + 3), channels * (3 * inputs + 1));

    /// <inheritdoc/>
    /// <remarks>The neuron has its three offsets with and without <paramref name="bias"/>, because it starts from b2 = 1.</remarks>
    public override Module Layer(Projection projection, bool bias = true) => new FanLayer(this, projection);
}

sealed class FanEntry() : NeuronEntry("fan", "(w1 x + b1)(w2 x + b2) + w3 (x*x) + c (Fan et al. 2018)")
{
    static readonly EntryOption<float> rate = EntryOption.Number("fan-learning-rate", "The factor for the learning rate of w2, b2, w3 and c", 1e-4f, 0f, 1e6f);

    public override IReadOnlyList<EntryOption> Options => [rate];

    public override Neuron Make(Selection options) => Neurons.Fan(options.Get(rate));
}

/// <summary>A layer of <see cref="FanNeuron"/>.</summary>
public sealed class FanLayer : NeuronLayer
{
    internal FanLayer(FanNeuron neuron, Projection projection) : base(neuron, projection)
    {
        var quadratic = new GroupSettings("fan", neuron.LearningRate);
        Weight = Weights("weight", Initializers.KaimingNormal);
        Bias = Offset(true)!;
        GateWeight = Weights("gate_weight", Initializers.Zeros, settings: quadratic);
        GateBias = Offset(true, "gate_bias", 1f, quadratic)!;
        SquareWeight = Weights("square_weight", Initializers.Zeros, settings: quadratic);
        SquareBias = Offset(true, "square_bias", 0f, quadratic)!;
    }

    /// <summary>The weights w1.</summary>
    public Parameter Weight { get; }

    /// <summary>The offset b1, [out].</summary>
    public Parameter Bias { get; }

    /// <summary>The weights w2.</summary>
    public Parameter GateWeight { get; }

    /// <summary>The offset b2, [out].</summary>
    public Parameter GateBias { get; }

    /// <summary>The weights w3.</summary>
    public Parameter SquareWeight { get; }

    /// <summary>The offset c, [out].</summary>
    public Parameter SquareBias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x) =>
        Projection.Apply(x, Weight, Bias) * Projection.Apply(x, GateWeight, GateBias) + Projection.Apply(x.Square(), SquareWeight, SquareBias);
}
