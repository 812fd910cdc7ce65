namespace QuadEngine.Layers;

/// <summary>
/// The quadratic neuron of QuadraLib (Xu et al. 2022): y = (w1 x)(w2 x) + w3 x. The published code puts a batch norm after each of the
/// three projections, which keeps the product in bounds: y = BN(w1 x) BN(w2 x) + BN(w3 x).
/// Cost per neuron: 3n parameters (and 6 of the batch norms), 3n + 1 multiply-adds.
/// </summary>
/// <param name="Normalized">Whether there are the three batch norms.</param>
public sealed record QuadraNeuron(bool Normalized = true) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "quadranet";

    /// <inheritdoc/>
    protected internal override string Settings => Normalized ? ", normalized" : "";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * (3 * inputs + (Normalized ? 6 : 0)), channels * (3 * inputs + 1));

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => new QuadraLayer(this, projection, bias);
}

sealed class QuadraEntry() : NeuronEntry("quadranet", "(w1 x)(w2 x) + w3 x (Xu et al. 2022)")
{
    static readonly EntryOption<bool> unnormalized = EntryOption.Flag("unnormalized", "No batch norms after the three projections");

    public override IReadOnlyList<EntryOption> Options => [unnormalized];

    public override Neuron Make(Selection options) => Neurons.QuadraNN(!options.Get(unnormalized));
}

/// <summary>A layer of <see cref="QuadraNeuron"/>.</summary>
public sealed class QuadraLayer : NeuronLayer
{
    readonly Module?[] norms;

    internal QuadraLayer(QuadraNeuron neuron, Projection projection, bool bias) : base(neuron, projection)
    {
        ProjectionWeights = [Weights("weight1", Initializers.KaimingNormal), Weights("weight2", Initializers.KaimingNormal), Weights("weight3", Initializers.KaimingNormal)];
        Bias = Offset(bias);
        norms = [.. Enumerable.Range(1, 3).Select(i => neuron.Normalized ? Register($"bn{i}", new BatchNorm(projection.OutChannels)) : null)];
    }

    /// <summary>The weights w1, w2, w3.</summary>
    public IReadOnlyList<Parameter> ProjectionWeights { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x) => Add(Part(x, 0) * Part(x, 1) + Part(x, 2), Bias);

    Tensor Part(Tensor x, int i)
    {
        var y = Projection.Apply(x, ProjectionWeights[i], null);
        return norms[i] is { } norm ? norm[y] : y;
    }
}
