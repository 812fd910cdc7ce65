using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// Stochastic gradient descent as in PyTorch: g = dw + weightDecay w;  v = momentum v + (1 - dampening) g (v = g at the first
/// step);  w -= learningRate (g + momentum v) with Nesterov's momentum (Sutskever et al. 2013), otherwise w -= learningRate v.
/// </summary>
public sealed class Sgd : Optimizer
{
    /// <summary>SGD over groups of parameters.</summary>
    /// <param name="groups">The parameters to update; no parameter may be in two groups.</param>
    /// <param name="learningRate">The learning rate, 0 or more; a group may multiply it.</param>
    /// <param name="momentum">The part of the velocity v that each step keeps, 0 or more; with 0 there is no velocity.</param>
    /// <param name="weightDecay">The L2 penalty, 0 or more; a group may have its own.</param>
    /// <param name="nesterov">Whether to look ahead by one velocity; needs momentum above 0 and no dampening.</param>
    /// <param name="dampening">The part of the gradient that the velocity leaves out; any finite number.</param>
    /// <exception cref="ArgumentException">A parameter is in two groups, a setting is out of its range, or nesterov is set without momentum or with dampening.</exception>
    public Sgd(IEnumerable<ParameterGroup> groups, float learningRate, float momentum = 0f, float weightDecay = 0f, bool nesterov = false, float dampening = 0f)
        : base(groups, learningRate)
    {
        Check.That(!nesterov || momentum > 0f && dampening == 0f, nameof(Sgd), $"Nesterov's momentum needs momentum above 0 and no dampening; got momentum {momentum}, dampening {dampening}.");
        CheckSetting(nameof(momentum), momentum);
        CheckSetting(nameof(weightDecay), weightDecay);
        Check.That(float.IsFinite(dampening), nameof(Sgd), $"{nameof(dampening)} is {dampening}, expected a number.");
        (Momentum, WeightDecay, Nesterov, Dampening) = (momentum, weightDecay, nesterov, dampening);
    }

    /// <summary>SGD over one group.</summary>
    /// <param name="parameters">The parameters of that group, whose name is "all".</param>
    /// <param name="learningRate">The learning rate, 0 or more.</param>
    /// <param name="momentum">The part of the velocity v that each step keeps, 0 or more; with 0 there is no velocity.</param>
    /// <param name="weightDecay">The L2 penalty, 0 or more.</param>
    /// <param name="nesterov">Whether to look ahead by one velocity; needs momentum above 0.</param>
    /// <exception cref="ArgumentException">A parameter occurs twice, a setting is out of its range, or nesterov is set without momentum.</exception>
    public Sgd(IEnumerable<Parameter> parameters, float learningRate, float momentum = 0f, float weightDecay = 0f, bool nesterov = false)
        : this([new ParameterGroup("all", [.. parameters])], learningRate, momentum, weightDecay, nesterov)
    {
    }

    /// <summary>The part of the velocity that each step keeps.</summary>
    public float Momentum { get; }

    /// <summary>The L2 penalty, added to the gradient; a group may have its own.</summary>
    public float WeightDecay { get; }

    /// <summary>Whether a step looks ahead by one velocity.</summary>
    public bool Nesterov { get; }

    /// <summary>The part of the gradient that the velocity leaves out.</summary>
    public float Dampening { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Slots => Momentum > 0f ? ["momentum"] : [];

    /// <inheritdoc/>
    private protected override void Apply(ParameterGroup group, ReadOnlySpan<Tensor> parameters, ReadOnlySpan<Tensor> gradients, Tensor[][] slots, Func<int> step, Tensor? leftOut)
    {
        parameters[0].Device.Backend.Sgd(parameters, gradients, slots.Length > 0 ? slots[0] : [], Now() with { Later = Now }, GradientScale, leftOut);

        SgdStep Now() => new(LearningRate * group.LearningRateMultiplier, Momentum, Dampening, group.WeightDecay ?? WeightDecay, Nesterov, step());
    }
}
