namespace QuadEngine.Layers;

/// <summary>
/// The polynomial kernel neuron (Wang et al. 2019): y = (w x + c)^p. c and p are given, not learned.
/// Cost per neuron: n parameters, n + p - 1 multiply-adds.
/// </summary>
/// <param name="Power">The power p, 1 or more.</param>
/// <param name="Offset">The offset c. If it is 0, a neuron of p = 2 or more has no linear part.</param>
public sealed record KervolutionNeuron(int Power = 2, float Offset = 0.5f) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "kervolution";

    /// <inheritdoc/>
    protected internal override string Settings => $", power {Power}, offset {Offset}";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * inputs, channels * (inputs + Power - 1));

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => new KervolutionLayer(this, projection, bias);
}

sealed class KervolutionEntry() : NeuronEntry("kervolution", "(w x + c)^p (Wang et al. 2019)")
{
    static readonly EntryOption<int> power = EntryOption.Number("power", "The power p", 2, 1, 64);
    static readonly EntryOption<float> offset = EntryOption.Number("offset", "The offset c, which is not learned", 0.5f, -1e6f, 1e6f);

    public override IReadOnlyList<EntryOption> Options => [power, offset];

    public override Neuron Make(Selection options) => Neurons.Kervolution(options.Get(power), options.Get(offset));
}

/// <summary>A layer of <see cref="KervolutionNeuron"/>.</summary>
public sealed class KervolutionLayer : NeuronLayer
{
    readonly KervolutionNeuron neuron;

    internal KervolutionLayer(KervolutionNeuron neuron, Projection projection, bool bias) : base(neuron, projection)
    {
        Check.That(neuron.Power >= 1, nameof(KervolutionLayer), $"the power is {neuron.Power}; use 1 (linear) or more.");
        this.neuron = neuron;
        Weight = Weights("weight", Initializers.KaimingNormal);
        Bias = Offset(bias);
    }

    /// <summary>The weights w.</summary>
    public Parameter Weight { get; }

    /// <summary>The offset added to the power, [out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x)
    {
        var z = Projection.Apply(x, Weight, null) + neuron.Offset;
        var y = z;
        for (var i = 1; i < neuron.Power; i++) y *= z;
        return Add(y, Bias);
    }
}
