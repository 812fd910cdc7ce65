namespace QuadEngine.Models;

/// <summary>Training met a NaN or an infinity; says at which step, in which layer first, and from where to go on.</summary>
/// <param name="step">The step, counted from 1.</param>
/// <param name="epoch">Its epoch, counted from 1.</param>
/// <param name="loss">Its loss.</param>
/// <param name="gradientNorm">The norm of its gradients.</param>
/// <param name="fault">The first output or gradient that is not finite; null where each is, computed with plain sums, and only their sum or what <see cref="Device.CpuWinograd"/> made of them is not.</param>
/// <param name="lastGood">The checkpoint of before; null where there is none.</param>
public sealed class TrainingDivergedException(int step, int epoch, float loss, float gradientNorm, NonFiniteException? fault, string? lastGood)
    : ArithmeticException(Describe(step, epoch, loss, gradientNorm, fault, lastGood), fault)
{
    /// <summary>The step, counted from 1; its update was not made.</summary>
    public int Step { get; } = step;

    /// <summary>Where the first value that is not finite appeared: module path and operation, e.g. "layer1.0.conv1: Conv2d"; null where each is finite, and only their sum is not.</summary>
    public string? Where { get; } = fault?.Where;

    /// <summary>The checkpoint of before; null where there is none.</summary>
    public string? LastGood { get; } = lastGood;

    static string Describe(int step, int epoch, float loss, float gradientNorm, NonFiniteException? fault, string? lastGood) =>
        $"training diverged at step {step} (epoch {epoch}): "
        + (fault?.Message ?? $"every output and gradient is finite in a second run with plain sums (Device.CpuWinograd = false), but the loss was {loss} and the norm of the gradients {gradientNorm}.")
        + (lastGood is null ? "" : $" {lastGood} is from before.")
        + " Try a smaller learning rate, a warm-up, or clipped gradients.";
}
