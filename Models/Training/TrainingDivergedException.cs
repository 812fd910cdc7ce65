using System.Globalization;

namespace QuadEngine.Models;

/// <summary>Training met a NaN or an infinity; says at which step, in which layer first, and from where to go on.</summary>
public sealed class TrainingDivergedException : ArithmeticException
{
    const string Advice = " Try a smaller learning rate, a warm-up, or clipped gradients.";

    /// <summary>Loss or gradients of a step are not finite.</summary>
    /// <param name="step">The step, counted from 1.</param>
    /// <param name="epoch">Its epoch, counted from 1.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="gradientNorm">The norm of its gradients.</param>
    /// <param name="fault">The first output or gradient that is not finite; null where each is, computed with plain sums, and only their sum or what <see cref="Device.CpuWinograd"/> made of them is not.</param>
    /// <param name="lastGood">The checkpoint of before; null where there is none.</param>
    public TrainingDivergedException(int step, int epoch, float loss, float gradientNorm, NonFiniteException? fault, string? lastGood)
        : this(step, fault, lastGood, $"training diverged at step {step} (epoch {epoch}): "
            + (fault?.Message ?? $"every output and gradient is finite in a second run with plain sums (Device.CpuWinograd = false), but the loss was {Text(loss)} and the norm of the gradients {Text(gradientNorm)}.")
            + (lastGood is null ? "" : $" {lastGood} is from before."))
    {
    }

    /// <summary>The loss on the test examples is not finite at the end of an epoch.</summary>
    /// <param name="step">Steps taken.</param>
    /// <param name="epoch">The epoch, counted from 1.</param>
    /// <param name="testLoss">Mean over the test examples.</param>
    /// <param name="fault">The first output that is not finite; null where each is, and only the loss is not.</param>
    /// <param name="lastGood">The checkpoint of before the evaluation; null where there is none.</param>
    /// <param name="best">The best epoch of before, whose weights are kept; null where there is none.</param>
    internal TrainingDivergedException(int step, int epoch, double testLoss, NonFiniteException? fault, string? lastGood, EpochMetrics? best)
        : this(step, fault, lastGood, $"training diverged in epoch {epoch} (step {step}): the loss on the test examples is {Text(testLoss)}."
            + (fault is null ? "" : $" {fault.Message}")
            + (best is null ? "" : string.Create(CultureInfo.InvariantCulture, $" The weights of epoch {best.Epoch}, the best until then ({best.Test}), are kept."))
            + (lastGood is null ? "" : $" {lastGood} is from before."))
    {
    }

    TrainingDivergedException(int step, NonFiniteException? fault, string? lastGood, string message)
        : base(message + Advice, fault) => (Step, Where, LastGood) = (step, fault?.Where, lastGood);

    /// <summary>The step, counted from 1; its update was not made. Where the loss on the test examples is not finite, the last step before it.</summary>
    public int Step { get; }

    /// <summary>Where the first value that is not finite appeared: module path and operation, e.g. "layer1.0.conv1: Conv2d"; null where each is finite, and only their sum is not.</summary>
    public string? Where { get; }

    /// <summary>The checkpoint of before; null where there is none.</summary>
    public string? LastGood { get; }

    static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
