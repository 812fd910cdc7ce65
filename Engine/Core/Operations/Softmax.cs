namespace QuadEngine.Operations;

/// <summary>
/// Softmax over the innermost axis, p_c = exp(x_c) / sum exp(x), and its logarithm, computed from x - max(x).
/// Backward: dx = p (dy - sum dy p); for the logarithm dx = dy - p sum dy.
/// </summary>
public static class Softmax
{
    /// <param name="x">[..., classes]</param>
    /// <param name="logarithm">Give log p.</param>
    /// <exception cref="ArgumentException">x is a scalar, or there are no classes.</exception>
    public static Tensor Apply(Tensor x, bool logarithm = false)
    {
        Check.That(x.Rank > 0 && x.Shape.Channels > 0, nameof(Softmax), $"the input must be [..., classes] with at least one class, not {x.Shape}.");
        var y = Tensor.Like(x);
        x.Device.Backend.Softmax(x, logarithm, y);
        return y.WithBackward(logarithm ? "LogSoftmax" : nameof(Softmax), [x], [y], (dy, saved) =>
        {
            var dx = Tensor.Like(dy);
            dy.Device.Backend.SoftmaxBackward(dy, saved[0], logarithm, dx);
            return [dx];
        });
    }
}
