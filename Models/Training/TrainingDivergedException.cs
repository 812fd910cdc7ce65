using System.Globalization;

namespace QuadEngine.Models;

/// <summary>A NaN or an infinity in training. It names the step, the first layer where it appeared, and the checkpoint from which to resume.</summary>
public sealed class TrainingDivergedException : ArithmeticException
{
    const string Advice = " Try a smaller learning rate, a warm-up, or clipped gradients.";

    /// <summary>Creates the exception for a step whose loss or gradients are not finite.</summary>
    /// <param name="step">The step, counted from 1.</param>
    /// <param name="epoch">Its epoch, counted from 1.</param>
    /// <param name="loss">Its loss.</param>
    /// <param name="gradientNorm">The norm of its gradients.</param>
    /// <param name="fault">The first output or gradient that is not finite. Null if all are finite when computed with plain sums, and only their sum or the results of <see cref="Device.CpuWinograd"/> are not.</param>
    /// <param name="lastGood">The checkpoint from before the step; null if there is none.</param>
    public TrainingDivergedException(int step, int epoch, float loss, float gradientNorm, NonFiniteException? fault, string? lastGood)
        : this(step, fault, lastGood, $"training diverged at step {step} (epoch {epoch}): "
            + (fault?.Message ?? $"every output and gradient is finite in a second run with plain sums (Device.CpuWinograd = false), but the loss was {Text(loss)} and the norm of the gradients {Text(gradientNorm)}.")
            + (lastGood is null ? "" : $" {lastGood} is from before."))
    {
    }

    /// <summary>Creates the exception for an epoch after which the loss on the test examples is not finite.</summary>
    /// <param name="step">The number of steps taken.</param>
    /// <param name="epoch">The epoch, counted from 1.</param>
    /// <param name="testLoss">The mean loss over the test examples.</param>
    /// <param name="fault">The first output that is not finite; null if all are finite and only the loss is not.</param>
    /// <param name="lastGood">The checkpoint from before the evaluation; null if there is none.</param>
    /// <param name="best">The best earlier epoch, whose weights are kept; null if there is none.</param>
    internal TrainingDivergedException(int step, int epoch, double testLoss, NonFiniteException? fault, string? lastGood, EpochMetrics? best)
        : this(step, fault, lastGood, $"training diverged in epoch {epoch} (step {step}): the loss on the test examples is {Text(testLoss)}."
            + (fault is null ? "" : $" {fault.Message}")
            + (best is null ? "" : string.Create(CultureInfo.InvariantCulture, $" The weights of epoch {best.Epoch}, the best until then ({best.Test}), are kept."))
            + (lastGood is null ? "" : $" {lastGood} is from before."))
    {
    }

    TrainingDivergedException(int step, NonFiniteException? fault, string? lastGood, string message)
        : base(message + Advice, fault) => (Step, Where, LastGood) = (step, fault?.Where, lastGood);

    /// <summary>The number of the step, from 1. Its update was not made. If the loss on the test examples is not finite, it is the last step before the evaluation.</summary>
    public int Step { get; }

    /// <summary>The place of the first value that is not finite: module path and operation, e.g. "layer1.0.conv1: Conv2d". Null if all values are finite and only their sum is not.</summary>
    public string? Where { get; }

    /// <summary>The checkpoint from before the fault; null if there is none.</summary>
    public string? LastGood { get; }

    static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);
}
