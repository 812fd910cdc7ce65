namespace QuadEngine.Layers;

/// <summary>
/// The quadratic residual neuron (Bu and Karpatne 2021): y = (w1 x)(w2 x) + w1 x + b.
/// Cost per neuron: 2n parameters, 2n + 1 multiply-adds.
/// </summary>
public sealed record QResNeuron : Neuron
{
    /// <inheritdoc/>
    public override string Name => "qres";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * 2 * inputs, channels * (2 * inputs + 1));

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => new QResLayer(this, projection, bias);
}

sealed class QResEntry() : NeuronEntry("qres", "(w1 x)(w2 x) + w1 x + b (Bu and Karpatne 2021)")
{
    public override Neuron Make(Selection options) => Neurons.QRes;
}

/// <summary>A layer of <see cref="QResNeuron"/>.</summary>
public sealed class QResLayer : NeuronLayer
{
    internal QResLayer(QResNeuron neuron, Projection projection, bool bias) : base(neuron, projection)
    {
        Weight = Weights("weight", Initializers.KaimingNormal);
        GateWeight = Weights("gate_weight", Initializers.KaimingNormal);
        Bias = Offset(bias);
    }

    /// <summary>The weights w1.</summary>
    public Parameter Weight { get; }

    /// <summary>The weights w2.</summary>
    public Parameter GateWeight { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x)
    {
        var linear = Projection.Apply(x, Weight, null);
        return Add(linear * Projection.Apply(x, GateWeight, null) + linear, Bias);
    }
}
