namespace QuadEngine;

/// <summary>Operations as operators and methods of a tensor; shapes of element-wise ones broadcast.</summary>
public partial class Tensor
{
    /// <summary>a + b.</summary>
    /// <param name="a">Of any shape.</param>
    /// <param name="b">Of a shape that broadcasts with that of <paramref name="a"/>, on the same device.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    public static Tensor operator +(Tensor a, Tensor b) => Elementwise.Apply<Add>(a, b);

    /// <summary>a + b.</summary>
    /// <param name="a">Of any shape, which the result has too.</param>
    /// <param name="b">Meets every element; it gets no gradient.</param>
    public static Tensor operator +(Tensor a, float b) => Elementwise.Apply<Add>(a, b);

    /// <summary>a + b.</summary>
    /// <param name="a">Meets every element; it gets no gradient.</param>
    /// <param name="b">Of any shape, which the result has too.</param>
    public static Tensor operator +(float a, Tensor b) => b + a;

    /// <summary>a - b.</summary>
    /// <inheritdoc cref="operator +(Tensor, Tensor)"/>
    public static Tensor operator -(Tensor a, Tensor b) => Elementwise.Apply<Subtract>(a, b);

    /// <summary>a - b.</summary>
    /// <inheritdoc cref="operator +(Tensor, float)"/>
    public static Tensor operator -(Tensor a, float b) => Elementwise.Apply<Subtract>(a, b);

    /// <summary>a - b.</summary>
    /// <inheritdoc cref="operator +(float, Tensor)"/>
    public static Tensor operator -(float a, Tensor b) => -b + a;

    /// <summary>a b, element by element.</summary>
    /// <inheritdoc cref="operator +(Tensor, Tensor)"/>
    public static Tensor operator *(Tensor a, Tensor b) => Elementwise.Apply<Multiply>(a, b);

    /// <summary>a b.</summary>
    /// <inheritdoc cref="operator +(Tensor, float)"/>
    public static Tensor operator *(Tensor a, float b) => Elementwise.Apply<Multiply>(a, b);

    /// <summary>a b.</summary>
    /// <inheritdoc cref="operator +(float, Tensor)"/>
    public static Tensor operator *(float a, Tensor b) => b * a;

    /// <summary>a / b, element by element.</summary>
    /// <inheritdoc cref="operator +(Tensor, Tensor)"/>
    public static Tensor operator /(Tensor a, Tensor b) => Elementwise.Apply<Divide>(a, b);

    /// <summary>a / b.</summary>
    /// <inheritdoc cref="operator +(Tensor, float)"/>
    public static Tensor operator /(Tensor a, float b) => Elementwise.Apply<Divide>(a, b);

    /// <summary>a / b.</summary>
    /// <inheritdoc cref="operator +(float, Tensor)"/>
    public static Tensor operator /(float a, Tensor b) => Full([], a, b.Device) / b;

    /// <summary>-x.</summary>
    /// <param name="x">Of any shape, which the result has too.</param>
    public static Tensor operator -(Tensor x) => Elementwise.Apply<Negate>(x);

    /// <param name="exponent">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.Power"/>
    public Tensor Pow(Tensor exponent) => Elementwise.Apply<Power>(this, exponent);

    /// <param name="exponent">b, one number, where this tensor is a; it gets no gradient.</param>
    /// <inheritdoc cref="Operations.Power"/>
    public Tensor Pow(float exponent) => Elementwise.Apply<Power>(this, exponent);

    /// <inheritdoc cref="Operations.Exp"/>
    public Tensor Exp() => Elementwise.Apply<Exp>(this);

    /// <inheritdoc cref="Operations.Expm1"/>
    public Tensor Expm1() => Elementwise.Apply<Expm1>(this);

    /// <inheritdoc cref="Operations.Log"/>
    public Tensor Log() => Elementwise.Apply<Log>(this);

    /// <inheritdoc cref="Operations.Log1p"/>
    public Tensor Log1p() => Elementwise.Apply<Log1p>(this);

    /// <inheritdoc cref="Operations.Sqrt"/>
    public Tensor Sqrt() => Elementwise.Apply<Sqrt>(this);

    /// <inheritdoc cref="Operations.Square"/>
    public Tensor Square() => Elementwise.Apply<Square>(this);

    /// <inheritdoc cref="Operations.Abs"/>
    public Tensor Abs() => Elementwise.Apply<Abs>(this);

    /// <inheritdoc cref="Operations.Sign"/>
    public Tensor Sign() => Elementwise.Apply<Sign>(this);

    /// <inheritdoc cref="Operations.Sin"/>
    public Tensor Sin() => Elementwise.Apply<Sin>(this);

    /// <inheritdoc cref="Operations.Cos"/>
    public Tensor Cos() => Elementwise.Apply<Cos>(this);

    /// <inheritdoc cref="Operations.Tanh"/>
    public Tensor Tanh() => Elementwise.Apply<Tanh>(this);

    /// <inheritdoc cref="Operations.Sigmoid"/>
    public Tensor Sigmoid() => Elementwise.Apply<Sigmoid>(this);

    /// <inheritdoc cref="Operations.Relu"/>
    public Tensor Relu() => Elementwise.Apply<Relu>(this);

    /// <param name="slope">What elements of 0 and below are multiplied by.</param>
    /// <inheritdoc cref="Operations.LeakyRelu"/>
    public Tensor LeakyRelu(float slope = 0.01f) => Elementwise.Apply<LeakyRelu>(this, slope);

    /// <inheritdoc cref="Operations.Silu"/>
    public Tensor Silu() => Elementwise.Apply<Silu>(this);

    /// <inheritdoc cref="Operations.Gelu"/>
    public Tensor Gelu() => Elementwise.Apply<Gelu>(this);

    /// <inheritdoc cref="Operations.Softplus"/>
    public Tensor Softplus() => Elementwise.Apply<Softplus>(this);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.Maximum"/>
    public Tensor Maximum(Tensor other) => Elementwise.Apply<Maximum>(this, other);

    /// <param name="other">b, one number, where this tensor is a; it gets no gradient.</param>
    /// <inheritdoc cref="Operations.Maximum"/>
    public Tensor Maximum(float other) => Elementwise.Apply<Maximum>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.Minimum"/>
    public Tensor Minimum(Tensor other) => Elementwise.Apply<Minimum>(this, other);

    /// <param name="other">b, one number, where this tensor is a; it gets no gradient.</param>
    /// <inheritdoc cref="Operations.Minimum"/>
    public Tensor Minimum(float other) => Elementwise.Apply<Minimum>(this, other);

    /// <summary>min(max(x, low), high); at the bounds the gradient still passes, as in PyTorch.</summary>
    /// <param name="low">Least value of the result.</param>
    /// <param name="high">Greatest value of the result; it wins over a larger low.</param>
    public Tensor Clamp(float low, float high) => Elementwise.Apply<AtMost>(Elementwise.Apply<AtLeast>(this, low), high);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.Greater"/>
    public Tensor Greater(Tensor other) => Elementwise.Apply<Greater>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.Greater"/>
    public Tensor Greater(float other) => Elementwise.Apply<Greater>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.GreaterEqual"/>
    public Tensor GreaterEqual(Tensor other) => Elementwise.Apply<GreaterEqual>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.GreaterEqual"/>
    public Tensor GreaterEqual(float other) => Elementwise.Apply<GreaterEqual>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.Less"/>
    public Tensor Less(Tensor other) => Elementwise.Apply<Less>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.Less"/>
    public Tensor Less(float other) => Elementwise.Apply<Less>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.LessEqual"/>
    public Tensor LessEqual(Tensor other) => Elementwise.Apply<LessEqual>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.LessEqual"/>
    public Tensor LessEqual(float other) => Elementwise.Apply<LessEqual>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.Equal"/>
    public Tensor Equal(Tensor other) => Elementwise.Apply<Equal>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.Equal"/>
    public Tensor Equal(float other) => Elementwise.Apply<Equal>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.NotEqual"/>
    public Tensor NotEqual(Tensor other) => Elementwise.Apply<NotEqual>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.NotEqual"/>
    public Tensor NotEqual(float other) => Elementwise.Apply<NotEqual>(this, other);

    /// <summary><paramref name="a"/> where this condition is not 0, <paramref name="b"/> elsewhere.</summary>
    /// <param name="a">Broadcasts with the condition, on the same device.</param>
    /// <param name="b">Likewise.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <remarks>
    /// What the one not chosen holds there, NaN and infinity too, does no harm: neither to the result nor to gradients, as element-wise operations take a
    /// gradient of 0 for 0 whatever their derivative is. So condition.Where(x.Sqrt(), 0) has a gradient of 0 where x is not above 0.
    /// </remarks>
    public Tensor Where(Tensor a, Tensor b) => Elementwise.Apply<WhereTrue>(a, this) + Elementwise.Apply<WhereFalse>(b, this);

    /// <param name="other">b: [..., K, N] with the leading axes of this tensor, which is a, or [K, N] shared by all of them; with N before K where it is transposed.</param>
    /// <param name="transposeThis">The last two axes of this tensor change places, without a copy.</param>
    /// <param name="transposeOther">Those of the other do.</param>
    /// <inheritdoc cref="Operations.MatMul.Apply"/>
    public Tensor MatMul(Tensor other, bool transposeThis = false, bool transposeOther = false) => Operations.MatMul.Apply(this, other, null, transposeThis, transposeOther);

    /// <summary>The softmax along an axis, p_c = exp(x_c) / sum exp(x), computed from x - max(x). Along another axis than the innermost the tensor is transposed there and back.</summary>
    /// <param name="axis">A negative one counts from the end: -1 is the innermost.</param>
    /// <exception cref="ArgumentException">This is a scalar, there is no such axis, or it has no elements.</exception>
    public Tensor Softmax(int axis = -1) => Softmax(axis, logarithm: false);

    /// <summary>The logarithm of the softmax along an axis, x_c - log sum exp(x).</summary>
    /// <inheritdoc cref="Softmax(int)"/>
    public Tensor LogSoftmax(int axis = -1) => Softmax(axis, logarithm: true);

    Tensor Softmax(int axis, bool logarithm)
    {
        if (Rank == 0 || Shape.Axis(axis, logarithm ? nameof(LogSoftmax) : nameof(Softmax)) == Rank - 1) return Operations.Softmax.Apply(this, logarithm);
        return Operations.Softmax.Apply(SwapAxes(axis, -1), logarithm).SwapAxes(axis, -1);
    }
}
