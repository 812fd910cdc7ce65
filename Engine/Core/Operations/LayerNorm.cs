using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Layer normalization (Ba et al. 2016) over the channels of each row: y = (x - mean) / sqrt(variance + epsilon) gamma + beta.
    /// Backward, with g = dy gamma and means over the channels: dx = (g - mean(g) - xhat mean(g xhat)) / sigma,
    /// dgamma = sum_rows dy xhat, dbeta = sum_rows dy.
    /// </summary>
    /// <param name="gamma">[channels], or null for 1; this tensor is x: [..., channels].</param>
    /// <param name="beta">[channels], or null for 0.</param>
    /// <param name="epsilon">Added to the variance.</param>
    /// <exception cref="ArgumentException">There are no channels, or a parameter is not [channels].</exception>
    public Tensor LayerNorm(Tensor? gamma, Tensor? beta, float epsilon = 1e-5f) => LayerNormOp.Apply(this, gamma, beta, epsilon);
}

/// <summary>See <see cref="Tensor.LayerNorm"/>.</summary>
static class LayerNormOp
{
    public static Tensor Apply(Tensor x, Tensor? gamma, Tensor? beta, float epsilon = 1e-5f)
    {
        Check.That(x.Shape.Channels > 0, nameof(Tensor.LayerNorm), $"the input must be [..., channels] with at least one channel to take the mean of, not {x.Shape}.");
        Shape expected = [x.Shape.Channels];
        foreach (var parameter in (ReadOnlySpan<Tensor?>)[gamma, beta])
            Check.That(parameter is null || parameter.Shape == expected, nameof(Tensor.LayerNorm), $"a parameter has shape {parameter?.Shape} but the input {x.Shape} needs {expected}.");

        Tensor y = Tensor.Like(x), mean = Tensor.Empty([x.Shape.Rows], x.Device), rstd = Tensor.Like(mean);
        x.Device.Backend.LayerNorm(x, epsilon, gamma, beta, y, mean, rstd);
        return y.WithBackward(nameof(Tensor.LayerNorm), [x, gamma, beta], [x, mean, rstd, gamma], (dy, saved) =>
        {
            var (x, mean, rstd) = saved;
            Tensor Channels() => Tensor.Empty([x.Shape.Channels], dy.Device);
            Tensor? dx = saved.IfNeeded(0, () => Tensor.Like(dy)), dGamma = saved.IfNeeded(1, Channels), dBeta = saved.IfNeeded(2, Channels);
            dy.Device.Backend.LayerNormBackward(dy, x, mean, rstd, saved.Optional(3), dx, dGamma, dBeta);
            return [dx, dGamma, dBeta];
        });
    }
}
