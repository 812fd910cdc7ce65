namespace QuadEngine.Devices;

/// <summary>
/// SGD as PyTorch has it: g = gradientScale dw + weightDecay w;  v = momentum v + (1 - dampening) g (v = g at the first that is taken);
/// w -= learningRate (g + momentum v where Nesterov, else v).
/// </summary>
/// <param name="LearningRate">0 or more.</param>
/// <param name="Momentum">Part of the velocity that is kept; 0 for none.</param>
/// <param name="Dampening">Part of the gradient that the velocity leaves out.</param>
/// <param name="WeightDecay">L2 penalty.</param>
/// <param name="Nesterov">Looks ahead by one velocity.</param>
/// <param name="Step">Counted from 1, with the steps that were left out.</param>
public readonly record struct SgdStep(float LearningRate, float Momentum, float Dampening, float WeightDecay, bool Nesterov, int Step)
{
    /// <summary>The same step as it is when asked, for a device that launches it again later (<see cref="Recording"/>); null where it never changes.</summary>
    public Func<SgdStep>? Later { get; init; }
}

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): w -= learningRate weightDecay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= learningRate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = step less the steps that were left out.
/// </summary>
/// <param name="LearningRate">0 or more.</param>
/// <param name="Beta1">Part of the first moment that is kept, 0 to below 1.</param>
/// <param name="Beta2">Part of the second moment that is kept, 0 to below 1.</param>
/// <param name="Epsilon">Keeps the quotient finite where a gradient has been 0.</param>
/// <param name="WeightDecay">Decoupled: times the learning rate.</param>
/// <param name="Step">Counted from 1, with the steps that were left out.</param>
public readonly record struct AdamStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step)
{
    /// <inheritdoc cref="SgdStep.Later"/>
    public Func<AdamStep>? Later { get; init; }
}
