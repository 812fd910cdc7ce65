using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>Running mean and variance of a batch norm, [channels] each, updated in place by every training step.</summary>
/// <param name="Mean">[channels]</param>
/// <param name="Variance">[channels], unbiased</param>
/// <param name="Momentum">running = (1 - momentum) running + momentum batch, as PyTorch's.</param>
public sealed record RunningStatistics(Tensor Mean, Tensor Variance, float Momentum = 0.1f);

/// <summary>
/// Batch normalisation (Ioffe and Szegedy 2015) over the rows of each channel, with the residual and the ReLU that follow it in a
/// residual network taken into the same pass:
///   xhat = (x - mean) / sqrt(variance + epsilon),   y = act(gamma xhat + beta + residual)
/// Backward in training, with g = dy where y &gt; 0 (or dy without ReLU) and means over the rows:
///   dx = gamma / sigma (g - mean(g) - xhat mean(g xhat)),   dgamma = sum g xhat,   dbeta = sum g,   dresidual = g
/// In inference the statistics are constants and dx = gamma / sigma g.
/// </summary>
public static class BatchNorm
{
    /// <summary>Normalises with the statistics of the batch, and updates the running ones.</summary>
    /// <param name="x">[..., channels]</param>
    /// <param name="gamma">[channels], or null for 1</param>
    /// <param name="beta">[channels], or null for 0</param>
    /// <param name="running">Updated in place, or null.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <param name="residual">Added before the activation; the shape of x, or null.</param>
    /// <param name="relu">Rectify at the end.</param>
    /// <exception cref="ArgumentException">A parameter is not [channels], or there is a single row in training.</exception>
    public static Tensor Train(Tensor x, Tensor? gamma, Tensor? beta, RunningStatistics? running = null, float epsilon = 1e-5f, Tensor? residual = null, bool relu = false)
    {
        CheckShapes(x, residual, gamma, beta, running?.Mean, running?.Variance);
        Check.That(x.Shape.Rows > 1, nameof(BatchNorm), $"in training each channel needs more than one value, but the input has shape {x.Shape}; use a larger batch, or Eval().");
        Tensor mean = Tensor.Empty([x.Shape.Channels], x.Device), variance = Tensor.Like(mean);
        x.Device.Backend.GatherStatistics(x, new ChannelStatistics(mean, variance, running?.Mean, running?.Variance, running?.Momentum ?? 0f));
        return Apply(x, mean, variance, gamma, beta, epsilon, residual, relu, batchStatistics: true);
    }

    /// <summary>Normalises with given statistics, as in inference.</summary>
    /// <exception cref="ArgumentException">A parameter is not [channels].</exception>
    public static Tensor Infer(Tensor x, Tensor mean, Tensor variance, Tensor? gamma, Tensor? beta, float epsilon = 1e-5f, Tensor? residual = null, bool relu = false)
    {
        CheckShapes(x, residual, gamma, beta, mean, variance);
        return Apply(x, mean, variance, gamma, beta, epsilon, residual, relu, batchStatistics: false);
    }

    static Tensor Apply(Tensor x, Tensor mean, Tensor variance, Tensor? gamma, Tensor? beta, float epsilon, Tensor? residual, bool relu, bool batchStatistics)
    {
        var y = Tensor.Like(x);
        x.Device.Backend.BatchNorm(x, mean, variance, epsilon, gamma, beta, residual, relu, y);
        return y.WithBackward(nameof(BatchNorm), [x, gamma, beta, residual], [x, mean, variance, gamma, relu ? y : null], (dy, saved) =>
        {
            var (x, mean, variance) = saved;
            Tensor? dx = saved.IfNeeded(0, () => Tensor.Like(dy)), dGamma = saved.IfNeeded(1, () => Tensor.Like(mean));
            Tensor? dBeta = saved.IfNeeded(2, () => Tensor.Like(mean)), dResidual = saved.IfNeeded(3, () => Tensor.Like(dy));
            dy.Device.Backend.BatchNormBackward(dy, x, saved.Optional(4), mean, variance, epsilon, saved.Optional(3), batchStatistics, dx, dGamma, dBeta, dResidual);
            return [dx, dGamma, dBeta, dResidual];
        });
    }

    static void CheckShapes(Tensor x, Tensor? residual, params ReadOnlySpan<Tensor?> parameters)
    {
        Shape expected = [x.Shape.Channels];
        foreach (var parameter in parameters)
            Check.That(parameter is null || parameter.Shape == expected, nameof(BatchNorm),
                $"a parameter has shape {parameter?.Shape} but the input {x.Shape} has {x.Shape.Channels} channels; parameters and statistics are [{x.Shape.Channels}].");
        Check.That(residual is null || residual.Shape == x.Shape, nameof(BatchNorm), $"the residual has shape {residual?.Shape} but the input {x.Shape}.");
    }
}
