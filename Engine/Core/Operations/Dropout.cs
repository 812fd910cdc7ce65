using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Dropout (Srivastava et al. 2014): each element is 0 with probability p, otherwise x / (1 - p). The mask is not stored: the backward
    /// draws the same numbers of <see cref="Philox"/> again.
    /// </summary>
    /// <param name="p">The probability that an element is dropped, in [0, 1).</param>
    /// <param name="generator">The generator that gives one stream; <see cref="Generator.Default"/> if null.</param>
    /// <exception cref="ArgumentException">p is outside [0, 1).</exception>
    public Tensor Dropout(float p, Generator? generator = null) => DropoutOp.Apply(this, p, generator);
}

/// <summary>See <see cref="Tensor.Dropout"/>.</summary>
static class DropoutOp
{
    public static Tensor Apply(Tensor x, float p, Generator? generator = null)
    {
        Check.That(p is >= 0f and < 1f, nameof(Tensor.Dropout), $"the probability is {p}; it must be at least 0 and under 1.");
        if (p == 0f) return x.Clone();
        var stream = (generator ?? Generator.Default).Next();
        var y = Tensor.Like(x);
        x.Device.Backend.Dropout(x, stream, p, y);
        return y.WithBackward(nameof(Tensor.Dropout), [x], [], (dy, _) =>
        {
            var dx = Tensor.Like(dy);
            dy.Device.Backend.Dropout(dy, stream, p, dx);
            return [dx];
        });
    }
}
