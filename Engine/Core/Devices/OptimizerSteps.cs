namespace QuadEngine.Devices;

/// <summary>
/// SGD as PyTorch has it: g = gradientScale dw + weightDecay w;  v = momentum v + (1 - dampening) g (v = g at step 1);
/// w -= learningRate (g + momentum v where Nesterov, else v). Step counts from 1, with those that were left out.
/// </summary>
public readonly record struct SgdStep(float LearningRate, float Momentum, float Dampening, float WeightDecay, bool Nesterov, int Step)
{
    /// <summary>The same step as it is when asked, for a device that launches it again later (<see cref="Recording"/>); null where it never changes.</summary>
    public Func<SgdStep>? Later { get; init; }
}

/// <summary>
/// AdamW (Loshchilov and Hutter 2019): w -= learningRate weightDecay w;  m = beta1 m + (1 - beta1) g;  v = beta2 v + (1 - beta2) g^2;
/// w -= learningRate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon), t = Step less the steps that were left out, counted from 1.
/// </summary>
public readonly record struct AdamStep(float LearningRate, float Beta1, float Beta2, float Epsilon, float WeightDecay, int Step)
{
    /// <inheritdoc cref="SgdStep.Later"/>
    public Func<AdamStep>? Later { get; init; }
}
