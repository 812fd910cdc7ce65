using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Batch normalization (Ioffe and Szegedy 2015) over the rows of each channel, with the statistics of the batch:
    ///   xhat = (x - mean) / sqrt(variance + epsilon),   y = gamma xhat + beta
    /// A residual that is added to y, and an activation after it, join the same pass: y = act(gamma xhat + beta + residual).
    /// Backward, with g = dy act'(y), and means over the rows:
    ///   dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)),   dgamma = sum g xhat,   dbeta = sum g,   dresidual = g
    /// </summary>
    /// <param name="gamma">[channels], or null for 1; this tensor is x: [..., channels].</param>
    /// <param name="beta">[channels], or null for 0.</param>
    /// <param name="running">The running statistics, updated in place, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <exception cref="ArgumentException">A parameter is not [channels], or there is a single row.</exception>
    /// <exception cref="InvalidOperationException">A statistic requires a gradient, and no <see cref="NoGrad"/> is open.</exception>
    public Tensor BatchNorm(Tensor? gamma, Tensor? beta, RunningStatistics? running = null, float epsilon = 1e-5f) => BatchNormOp.Train(this, gamma, beta, running, epsilon);

    /// <summary>Batch normalization with given statistics, as in inference. The statistics are constants: dx = gamma / sigma g.</summary>
    /// <param name="mean">[channels]; it must not require a gradient. This tensor is x: [..., channels].</param>
    /// <param name="variance">[channels]; it must not require a gradient.</param>
    /// <param name="gamma">[channels], or null for 1.</param>
    /// <param name="beta">[channels], or null for 0.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <exception cref="ArgumentException">A parameter is not [channels].</exception>
    /// <exception cref="InvalidOperationException">A statistic requires a gradient, and no <see cref="NoGrad"/> is open.</exception>
    public Tensor BatchNormInference(Tensor mean, Tensor variance, Tensor? gamma, Tensor? beta, float epsilon = 1e-5f) => BatchNormOp.Infer(this, mean, variance, gamma, beta, epsilon);
}

/// <summary>See <see cref="Tensor.BatchNorm"/>.</summary>
static class BatchNormOp
{
    public static Tensor Train(Tensor x, Tensor? gamma, Tensor? beta, RunningStatistics? running = null, float epsilon = 1e-5f)
    {
        CheckShapes(x, gamma, beta, running?.Mean, running?.Variance);
        CheckConstants(running?.Mean, running?.Variance);
        Check.That(x.Shape.Rows > 1, nameof(Tensor.BatchNorm), $"in training each channel needs more than one value, but the input has shape {x.Shape}; use a larger batch, or Eval().");
        Tensor mean = Tensor.Empty([x.Shape.Channels], x.Device), variance = Tensor.Like(mean);
        var statistics = new ChannelStatistics<Tensor>(mean, variance, running?.Mean, running?.Variance, running?.Momentum ?? 0f);
        if (!GatherOnTheWay(x, statistics)) x.Device.Backend.GatherStatistics(x, statistics);
        return DeferredNormalization.Normalize(x, mean, variance, gamma, beta, new(epsilon, BatchStatistics: true)).CheckFinite(nameof(Tensor.BatchNorm));
    }

    public static Tensor Infer(Tensor x, Tensor mean, Tensor variance, Tensor? gamma, Tensor? beta, float epsilon = 1e-5f)
    {
        CheckShapes(x, gamma, beta, mean, variance);
        CheckConstants(mean, variance);
        // If nothing is recorded, the whole batch norm is a scale and a shift, which may join the projection before it.
        if (NoGrad.Active && FusionTable.Join(x, new Next.Affine(mean, variance, gamma, beta, epsilon)) is { } fused) return fused;
        return DeferredNormalization.Normalize(x, mean, variance, gamma, beta, new(epsilon, BatchStatistics: false)).CheckFinite(nameof(Tensor.BatchNorm));
    }

    // If x is the result of a deferred projection, it is computed now, and its channels are added up while they are in the nearest cache.
    static bool GatherOnTheWay(Tensor x, ChannelStatistics<Tensor> statistics)
    {
        if (x.Storage.Deferred is not { } step || x.Length != step.Shape.Elements || x.Shape.Channels != step.Shape.Channels) return false;
        var storage = x.RetainStorage();
        try
        {
            return storage.Resolve(statistics);
        }
        finally
        {
            storage.Release();
        }
    }

    static void CheckConstants(params ReadOnlySpan<Tensor?> statistics)
    {
        foreach (var statistic in statistics)
            if (statistic is not null) Tensor.RefuseGradient("BatchNorm with regard to its statistics", statistic);
    }

    static void CheckShapes(Tensor x, params ReadOnlySpan<Tensor?> parameters)
    {
        Shape expected = [x.Shape.Channels];
        foreach (var parameter in parameters)
            Check.That(parameter is null || parameter.Shape == expected, nameof(Tensor.BatchNorm),
                $"a parameter has shape {parameter?.Shape} but the input {x.Shape} has {x.Shape.Channels} channels; parameters and statistics are [{x.Shape.Channels}].");
    }
}

/// <summary>The backward of a batch norm, and of the quadratic neurons before it if they join.</summary>
sealed record BatchNormBackward(BatchNormSettings Settings, bool HasResidual, QuadraticBackward? Neurons = null)
{
    /// <summary>
    /// Returns the gradients of [x, gamma, beta, residual]; saved is [x, mean, variance, gamma, beta, y], with y only if there is an activation. With neurons,
    /// returns the gradients of [z, gamma, beta, residual, lambda]; saved is [x, mean, variance, gamma, beta, y, x, lambda].
    /// </summary>
    public Tensor?[] Run(Tensor dy, Saved saved)
    {
        var neurons = NeuronsOf(saved);
        var dx = neurons is not null || saved.Needs(0) ? Tensor.Over(dy) : null;
        Tensor? dGamma = saved.IfNeeded(1, () => Tensor.Like(saved[1])), dBeta = saved.IfNeeded(2, () => Tensor.Like(saved[1])), dResidual = saved.IfNeeded(3, () => Tensor.Like(dy));
        dy.Device.Backend.BatchNormBackward(dy, saved[0], Written(saved.Optional(5)), TermOf(saved), Settings.BatchStatistics, neurons, dx, dGamma, dBeta, dResidual);
        return Gradients(saved, dx, dGamma, dBeta, dResidual, neurons);
    }

    /// <summary>The same from the gradient of the convolution after it, without a residual and with the statistics of the batch.</summary>
    public Tensor?[] RunThrough(Tensor dy, Tensor filter, ConvGeometry geometry, Saved saved)
    {
        Tensor x = saved[0], g = Tensor.Like(x), dGamma = Tensor.Like(saved[1]), dBeta = Tensor.Like(saved[1]);
        var neurons = NeuronsOf(saved);
        MultiplyAddCounter.Add(geometry.MultiplyAdds);
        dy.Device.Backend.NormalizeAndConv2dInputGradient(dy, filter, geometry, x, TermOf(saved), g, dGamma, dBeta);

        // Neurons read the g of the channels beside them.
        var dx = neurons is not null ? Tensor.Like(x) : saved.IfNeeded(0, () => Tensor.Over(g));
        if (dx is not null) dy.Device.Backend.BatchNormInputGradient(g, x, TermOf(saved), dGamma, dBeta, neurons, dx);
        return Gradients(saved, dx, saved.IfNeeded(1, () => dGamma), saved.IfNeeded(2, () => dBeta), null, neurons);
    }

    NormTerm<Tensor> TermOf(Saved saved) => new(saved[1], saved[2], Settings.Epsilon, saved.Optional(3), saved.Optional(4), Settings.Activation);

    QuadraticGradient<Tensor>? NeuronsOf(Saved saved) => Neurons?.Gradient(saved[7], saved.IfNeeded(4, () => Tensor.Like(saved[7])));

    static Tensor?[] Gradients(Saved saved, Tensor? dx, Tensor? dGamma, Tensor? dBeta, Tensor? dResidual, QuadraticGradient<Tensor>? neurons)
    {
        if (!saved.Needs(0)) dx = null;
        return neurons is null ? [dx, dGamma, dBeta, dResidual] : [dx, dGamma, dBeta, dResidual, neurons.DLambda];
    }

    // y, or null if it is still deferred because convolutions normalized what they read. Then the kernel computes it from x.
    static Tensor? Written(Tensor? y)
    {
        if (y is null || DeferredNormalization.Before(y) is not { } before) return y;
        before.Release();
        return null;
    }
}

/// <summary>The settings of a batch norm.</summary>
/// <param name="Epsilon">Added to the variance.</param>
/// <param name="BatchStatistics">Whether mean and variance are those of the batch, and so depend on x.</param>
/// <param name="Activation">The activation after the residual.</param>
readonly record struct BatchNormSettings(float Epsilon, bool BatchStatistics, Activation Activation = default);
