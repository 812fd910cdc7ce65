namespace QuadEngine.Layers;

/// <summary>
/// A quadratic form of rank k whose two factors are learned separately: y = (Q1 x) . (Q2 x) + w x + b, Q1 and Q2 of shape [k, n].
/// Cost per neuron: 2kn + n parameters, 2kn + k + n multiply-adds.
/// </summary>
/// <param name="Rank">The rank k.</param>
public sealed record LowRankQuadraticNeuron(int Rank) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "low-rank";

    /// <inheritdoc/>
    public override string Title => $"{Name}{Rank}";

    /// <inheritdoc/>
    protected internal override string Settings => $", rank {Rank}";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * (2 * Rank + 1) * inputs, channels * ((2 * Rank + 1) * inputs + Rank));

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => new LowRankQuadraticLayer(this, projection, bias);
}

sealed class LowRankQuadraticEntry() : NeuronEntry("low-rank", "(Q1 x) . (Q2 x) + w x + b")
{
    static readonly EntryOption<int> rank = EntryOption.Number("rank", "The rank k, the number of products", 3, 1, 1024);

    public override IReadOnlyList<EntryOption> Options => [rank];

    public override Neuron Make(Selection options) => Neurons.LowRankQuadratic(options.Get(rank));
}

/// <summary>
/// A layer of <see cref="LowRankQuadraticNeuron"/>. Q2 starts at 0, so the layer starts linear. Q1 gets no gradient until Q2 has become
/// different from 0.
/// </summary>
public sealed class LowRankQuadraticLayer : NeuronLayer
{
    readonly int rank;

    internal LowRankQuadraticLayer(LowRankQuadraticNeuron neuron, Projection projection, bool bias) : base(neuron, projection)
    {
        rank = neuron.Rank;
        Check.That(rank >= 1, nameof(LowRankQuadraticLayer), $"the rank is {rank}; use 1 or more.");
        Weight = Weights("weight", Initializers.KaimingNormal);
        Q1 = Weights("q1", Initializers.KaimingNormal, projection.OutChannels * rank);
        Q2 = Weights("q2", Initializers.Zeros, projection.OutChannels * rank);
        Bias = Offset(bias);
    }

    /// <summary>The weights w.</summary>
    public Parameter Weight { get; }

    /// <summary>The k rows of Q1 of each neuron, neuron after neuron: out * k projections.</summary>
    public Parameter Q1 { get; }

    /// <summary>The k rows of Q2 of each neuron, neuron after neuron: out * k projections.</summary>
    public Parameter Q2 { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x)
    {
        var products = Projection.Apply(x, Q1, null) * Projection.Apply(x, Q2, null);
        var linear = Projection.Apply(x, Weight, Bias);
        return linear + (rank == 1 ? products : products.Reshape([.. linear.Shape.AsSpan(), rank]).Sum([-1]));
    }
}
