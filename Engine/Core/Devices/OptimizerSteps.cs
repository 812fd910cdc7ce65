namespace QuadEngine.Devices;

/// <summary>
/// SGD as in PyTorch: g = gradientScale dw + weightDecay w;  v = momentum v + (1 - dampening) g (v = g at the first step that is not skipped);
/// w -= learningRate v, or learningRate (g + momentum v) with Nesterov momentum.
/// </summary>
/// <param name="LearningRate">0 or more.</param>
/// <param name="Momentum">The part of the velocity that is kept; 0 for no momentum.</param>
/// <param name="Dampening">The part of the gradient that does not enter the velocity.</param>
/// <param name="WeightDecay">L2 penalty.</param>
/// <param name="Nesterov">Whether the update looks ahead by one velocity.</param>
/// <param name="Step">The number of the step, counted from 1; skipped steps count.</param>
public readonly record struct SgdStep(float LearningRate, float Momentum, float Dampening, float WeightDecay, bool Nesterov, int Step)
{
    /// <summary>Gives the settings at the time of the call, for a device that launches the step again later (<see cref="Recording"/>); null if they never change.</summary>
    public Func<SgdStep>? Later { get; init; }
}

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): w -= learningRate weightDecay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= learningRate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = step minus the number of skipped steps.
/// </summary>
/// <param name="LearningRate">0 or more.</param>
/// <param name="Beta1">The part of the first moment that is kept, at least 0 and below 1.</param>
/// <param name="Beta2">The part of the second moment that is kept, at least 0 and below 1.</param>
/// <param name="Epsilon">Keeps the quotient finite if all gradients have been 0.</param>
/// <param name="WeightDecay">Decoupled weight decay; it is multiplied by the learning rate.</param>
/// <param name="Step">The number of the step, counted from 1; skipped steps count.</param>
public readonly record struct AdamStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step)
{
    /// <inheritdoc cref="SgdStep.Later"/>
    public Func<AdamStep>? Later { get; init; }
}
