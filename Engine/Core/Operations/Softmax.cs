using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// The softmax along an axis, p_c = exp(x_c) / sum exp(x), computed from x - max(x). Backward: dx = p (dy - sum dy p).
    /// If the axis is not the innermost, the tensor is transposed before and after.
    /// </summary>
    /// <param name="axis">The axis; a negative one counts from the end: -1 is the innermost.</param>
    /// <exception cref="ArgumentException">This is a scalar, there is no such axis, or it has no elements.</exception>
    public Tensor Softmax(int axis = -1) => Softmax(axis, logarithm: false);

    /// <summary>The logarithm of the softmax along an axis, x_c - log sum exp(x). Backward: dx = dy - p sum dy.</summary>
    /// <inheritdoc cref="Softmax(int)"/>
    public Tensor LogSoftmax(int axis = -1) => Softmax(axis, logarithm: true);

    Tensor Softmax(int axis, bool logarithm)
    {
        if (Rank == 0 || Shape.Axis(axis, logarithm ? nameof(LogSoftmax) : nameof(Softmax)) == Rank - 1) return SoftmaxOp.Apply(this, logarithm);
        return SoftmaxOp.Apply(SwapAxes(axis, -1), logarithm).SwapAxes(axis, -1);
    }
}

/// <summary>The softmax over the innermost axis; see <see cref="Tensor.Softmax(int)"/>.</summary>
static class SoftmaxOp
{
    public static Tensor Apply(Tensor x, bool logarithm = false)
    {
        Check.That(x.Rank > 0 && x.Shape.Channels > 0, nameof(Tensor.Softmax), $"the input must be [..., classes] with at least one class, not {x.Shape}.");
        var y = Tensor.Like(x);
        x.Device.Backend.Softmax(x, logarithm, y);
        return y.WithBackward(logarithm ? "LogSoftmax" : nameof(Tensor.Softmax), [x], [y], (dy, saved) =>
        {
            var dx = Tensor.Like(dy);
            dy.Device.Backend.SoftmaxBackward(dy, saved[0], logarithm, dx);
            return [dx];
        });
    }
}
