using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2): w -= lr decay w;  m = b1 m + (1 - b1) g;
/// v = b2 v + (1 - b2) g^2;  w -= lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon). t counts the steps of each parameter from 1.
/// </summary>
public sealed class AdamW : Optimizer
{
    readonly float beta1, beta2, epsilon, weightDecay;

    /// <summary>AdamW over groups of parameters.</summary>
    /// <param name="groups">The parameters to update; no parameter may be in two groups.</param>
    /// <param name="learningRate">lr, 0 or more; a group may multiply it.</param>
    /// <param name="beta1">b1, in [0, 1): the part of m that each step keeps.</param>
    /// <param name="beta2">b2, in [0, 1): the part of v that each step keeps.</param>
    /// <param name="epsilon">Added to the root, 0 or more.</param>
    /// <param name="weightDecay">decay, 0 or more; a group may have its own.</param>
    /// <exception cref="ArgumentException">A parameter is in two groups, or a setting is out of its range.</exception>
    public AdamW(IEnumerable<ParameterGroup> groups, float learningRate = 1e-3f, float beta1 = 0.9f, float beta2 = 0.999f, float epsilon = 1e-8f, float weightDecay = 1e-2f)
        : base(groups, learningRate)
    {
        CheckSetting(nameof(beta1), beta1, below: 1f);
        CheckSetting(nameof(beta2), beta2, below: 1f);
        CheckSetting(nameof(epsilon), epsilon);
        CheckSetting(nameof(weightDecay), weightDecay);
        (this.beta1, this.beta2, this.epsilon, this.weightDecay) = (beta1, beta2, epsilon, weightDecay);
    }

    /// <summary>AdamW over one group.</summary>
    /// <param name="parameters">The parameters of that group, whose name is "all".</param>
    /// <param name="learningRate">lr, 0 or more.</param>
    /// <param name="weightDecay">decay, 0 or more.</param>
    /// <exception cref="ArgumentException">A parameter occurs twice, or a setting is out of its range.</exception>
    public AdamW(IEnumerable<Parameter> parameters, float learningRate = 1e-3f, float weightDecay = 1e-2f)
        : this([new ParameterGroup("all", [.. parameters])], learningRate, weightDecay: weightDecay)
    {
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Slots => ["first_moment", "second_moment"];

    /// <inheritdoc/>
    private protected override void Apply(ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, Func<int> step, Tensor? leftOut)
    {
        parameters[0].Device.Backend.AdamW(parameters, gradients, slots[0], slots[1], Now() with { Later = Now }, GradientScale, leftOut);

        AdamStep Now() => new(LearningRate * group.LearningRateMultiplier, beta1, beta2, epsilon, group.WeightDecay ?? weightDecay, step());
    }
}
