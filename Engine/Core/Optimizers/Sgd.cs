using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// Stochastic gradient descent as PyTorch has it: g = dw + weightDecay w;  v = momentum v + (1 - dampening) g (v = g at the first
/// step);  w -= learningRate (g + momentum v with Nesterov's momentum (Sutskever et al. 2013), else v).
/// </summary>
public sealed class Sgd : Optimizer
{
    /// <summary>SGD over groups of parameters.</summary>
    /// <param name="groups">What to update; no parameter may be in two of them.</param>
    /// <param name="learningRate">0 or more; a group may multiply it.</param>
    /// <param name="momentum">Decay of the velocity v, 0 or more; at 0 none is kept.</param>
    /// <param name="weightDecay">L2 penalty, 0 or more; a group may have its own.</param>
    /// <param name="nesterov">Looks ahead by one velocity; needs momentum above 0 and no dampening.</param>
    /// <param name="dampening">Part of the gradient that the velocity leaves out; any finite number.</param>
    /// <exception cref="ArgumentException">A parameter is in two groups, a setting is out of its range, or Nesterov is without momentum or with dampening.</exception>
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
    /// <param name="parameters">All of that group, whose name is "all".</param>
    /// <param name="learningRate">0 or more.</param>
    /// <param name="momentum">Decay of the velocity v, 0 or more; at 0 none is kept.</param>
    /// <param name="weightDecay">L2 penalty, 0 or more.</param>
    /// <param name="nesterov">Looks ahead by one velocity; needs momentum above 0.</param>
    /// <exception cref="ArgumentException">A parameter comes twice, a setting is out of its range, or Nesterov is without momentum.</exception>
    public Sgd(IEnumerable<Parameter> parameters, float learningRate, float momentum = 0f, float weightDecay = 0f, bool nesterov = false)
        : this([new ParameterGroup("all", [.. parameters])], learningRate, momentum, weightDecay, nesterov)
    {
    }

    /// <summary>Decay of the velocity.</summary>
    public float Momentum { get; }

    /// <summary>L2 penalty, added to the gradient; a group may have its own.</summary>
    public float WeightDecay { get; }

    /// <summary>Look ahead by one velocity.</summary>
    public bool Nesterov { get; }

    /// <summary>Part of the gradient that the velocity leaves out.</summary>
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
