using QuadEngine;
using QuadEngine.Layers;

namespace Shapes;

/// <summary>y = (w x + b) sigmoid(g x).</summary>
public sealed record Gated(float Deviation) : Neuron
{
    public override string Name => "gated";

    public override NeuronCost Cost(long inputs, int channels) => new(channels * 2 * inputs, channels * (2 * inputs + 1));

    public override Module Layer(Projection projection, bool bias = true) => new GatedLayer(this, projection, bias);
}

public sealed class GatedEntry() : NeuronEntry("gated", "(w x + b) sigmoid(g x)")
{
    static readonly EntryOption<float> deviation = EntryOption.Number("gate-deviation", "Deviation of the normal numbers that g starts with", 0.1f, 0f, 10f);

    public override IReadOnlyList<EntryOption> Options => [deviation];

    public override Neuron Make(Selection options) => new Gated(options.Get(deviation));
}

public sealed class GatedLayer : NeuronLayer
{
    readonly Parameter weight, gate;
    readonly Parameter? offset;

    public GatedLayer(Gated neuron, Projection projection, bool bias) : base(neuron, projection)
    {
        weight = Weights("weight", Initializers.KaimingNormal);
        gate = Weights("gate", (shape, generator) => Tensor.Normal(shape, 0f, neuron.Deviation, generator));
        offset = Offset(bias);
    }

    protected override Tensor Evaluate(Tensor x) => Projection.Apply(x, weight, offset) * Projection.Apply(x, gate, null).Sigmoid();
}
