using QuadEngine;

namespace Shapes;

/// <summary>Lion (Chen et al. 2023): w -= lr (sign(b1 m + (1 - b1) g) + decay w);  m = b2 m + (1 - b2) g.</summary>
public sealed class Lion(IEnumerable<ParameterGroup> groups, float learningRate, float weightDecay, float beta1) : CustomOptimizer(groups, learningRate)
{
    const float Beta2 = 0.99f, Steepness = 1e6f;

    public override IReadOnlyList<string> Slots => ["momentum"];

    protected override void Update(ParameterUpdate update)
    {
        var (weight, momentum, gradient) = (update.Parameter, update.Slots[0], update.Gradient);
        var sign = ((momentum * beta1 + gradient * (1f - beta1)) * Steepness).Clamp(-1f, 1f);
        weight.Assign(weight - (sign + weight * (update.Group.WeightDecay ?? weightDecay)) * update.LearningRate);
        momentum.Assign(momentum * Beta2 + gradient * (1f - Beta2));
    }
}

public sealed class LionEntry() : OptimizerEntry("lion", "the sign of the momentum (Chen et al. 2023)")
{
    static readonly EntryOption<float> beta = EntryOption.Number("lion-beta", "The part of the momentum in a step's direction", 0.9f, 0f, 1f);

    public override IReadOnlyList<EntryOption> Options => [beta];

    public override float LearningRate => 1e-3f;

    public override float WeightDecay => 0.01f;

    public override Optimizer Make(IReadOnlyList<ParameterGroup> groups, float learningRate, float weightDecay, Selection options) =>
        new Lion(groups, learningRate, weightDecay, options.Get(beta));
}
