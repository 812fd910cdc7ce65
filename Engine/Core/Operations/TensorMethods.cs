namespace QuadEngine;

/// <summary>Operations as operators and methods of a tensor; shapes of element-wise ones broadcast.</summary>
public partial class Tensor
{
    /// <summary>a + b.</summary>
    /// <param name="a">Of any shape.</param>
    /// <param name="b">Of a shape that broadcasts with that of <paramref name="a"/>, on the same device.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    public static Tensor operator +(Tensor a, Tensor b) => Elementwise.Apply<AddOp>(a, b);

    /// <summary>a + b.</summary>
    /// <param name="a">Of any shape, which the result has too.</param>
    /// <param name="b">Meets every element; it gets no gradient.</param>
    public static Tensor operator +(Tensor a, float b) => Elementwise.Apply<AddOp>(a, b);

    /// <summary>a + b.</summary>
    /// <param name="a">Meets every element; it gets no gradient.</param>
    /// <param name="b">Of any shape, which the result has too.</param>
    public static Tensor operator +(float a, Tensor b) => b + a;

    /// <summary>a - b.</summary>
    /// <inheritdoc cref="operator +(Tensor, Tensor)"/>
    public static Tensor operator -(Tensor a, Tensor b) => Elementwise.Apply<SubtractOp>(a, b);

    /// <summary>a - b.</summary>
    /// <inheritdoc cref="operator +(Tensor, float)"/>
    public static Tensor operator -(Tensor a, float b) => Elementwise.Apply<SubtractOp>(a, b);

    /// <summary>a - b.</summary>
    /// <inheritdoc cref="operator +(float, Tensor)"/>
    public static Tensor operator -(float a, Tensor b) => -b + a;

    /// <summary>a b, element by element.</summary>
    /// <inheritdoc cref="operator +(Tensor, Tensor)"/>
    public static Tensor operator *(Tensor a, Tensor b) => Elementwise.Apply<MultiplyOp>(a, b);

    /// <summary>a b.</summary>
    /// <inheritdoc cref="operator +(Tensor, float)"/>
    public static Tensor operator *(Tensor a, float b) => Elementwise.Apply<MultiplyOp>(a, b);

    /// <summary>a b.</summary>
    /// <inheritdoc cref="operator +(float, Tensor)"/>
    public static Tensor operator *(float a, Tensor b) => b * a;

    /// <summary>a / b, element by element.</summary>
    /// <inheritdoc cref="operator +(Tensor, Tensor)"/>
    public static Tensor operator /(Tensor a, Tensor b) => Elementwise.Apply<DivideOp>(a, b);

    /// <summary>a / b.</summary>
    /// <inheritdoc cref="operator +(Tensor, float)"/>
    public static Tensor operator /(Tensor a, float b) => Elementwise.Apply<DivideOp>(a, b);

    /// <summary>a / b.</summary>
    /// <inheritdoc cref="operator +(float, Tensor)"/>
    public static Tensor operator /(float a, Tensor b) => Full([], a, b.Device) / b;

    /// <summary>-x.</summary>
    /// <param name="x">Of any shape, which the result has too.</param>
    public static Tensor operator -(Tensor x) => Elementwise.Apply<NegateOp>(x);

    /// <param name="exponent">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.PowerOp"/>
    public Tensor Pow(Tensor exponent) => Elementwise.Apply<PowerOp>(this, exponent);

    /// <param name="exponent">b, one number, where this tensor is a; it gets no gradient.</param>
    /// <inheritdoc cref="Operations.PowerOp"/>
    public Tensor Pow(float exponent) => Elementwise.Apply<PowerOp>(this, exponent);

    /// <inheritdoc cref="Operations.ExpOp"/>
    public Tensor Exp() => Elementwise.Apply<ExpOp>(this);

    /// <inheritdoc cref="Operations.Expm1Op"/>
    public Tensor Expm1() => Elementwise.Apply<Expm1Op>(this);

    /// <inheritdoc cref="Operations.LogOp"/>
    public Tensor Log() => Elementwise.Apply<LogOp>(this);

    /// <inheritdoc cref="Operations.Log1pOp"/>
    public Tensor Log1p() => Elementwise.Apply<Log1pOp>(this);

    /// <inheritdoc cref="Operations.SqrtOp"/>
    public Tensor Sqrt() => Elementwise.Apply<SqrtOp>(this);

    /// <inheritdoc cref="Operations.SquareOp"/>
    public Tensor Square() => Elementwise.Apply<SquareOp>(this);

    /// <inheritdoc cref="Operations.AbsOp"/>
    public Tensor Abs() => Elementwise.Apply<AbsOp>(this);

    /// <inheritdoc cref="Operations.SignOp"/>
    public Tensor Sign() => Elementwise.Apply<SignOp>(this);

    /// <inheritdoc cref="Operations.SinOp"/>
    public Tensor Sin() => Elementwise.Apply<SinOp>(this);

    /// <inheritdoc cref="Operations.CosOp"/>
    public Tensor Cos() => Elementwise.Apply<CosOp>(this);

    /// <inheritdoc cref="Operations.TanhOp"/>
    public Tensor Tanh() => Elementwise.Apply<TanhOp>(this);

    /// <inheritdoc cref="Operations.SigmoidOp"/>
    public Tensor Sigmoid() => Elementwise.Apply<SigmoidOp>(this);

    /// <inheritdoc cref="Operations.ReluOp"/>
    public Tensor Relu() => Elementwise.Apply<ReluOp>(this);

    /// <param name="slope">What elements of 0 and below are multiplied by.</param>
    /// <inheritdoc cref="Operations.LeakyReluOp"/>
    public Tensor LeakyRelu(float slope = 0.01f) => Elementwise.Apply<LeakyReluOp>(this, slope);

    /// <inheritdoc cref="Operations.SiluOp"/>
    public Tensor Silu() => Elementwise.Apply<SiluOp>(this);

    /// <inheritdoc cref="Operations.GeluOp"/>
    public Tensor Gelu() => Elementwise.Apply<GeluOp>(this);

    /// <inheritdoc cref="Operations.SoftplusOp"/>
    public Tensor Softplus() => Elementwise.Apply<SoftplusOp>(this);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.MaximumOp"/>
    public Tensor Maximum(Tensor other) => Elementwise.Apply<MaximumOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a; it gets no gradient.</param>
    /// <inheritdoc cref="Operations.MaximumOp"/>
    public Tensor Maximum(float other) => Elementwise.Apply<MaximumOp>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.MinimumOp"/>
    public Tensor Minimum(Tensor other) => Elementwise.Apply<MinimumOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a; it gets no gradient.</param>
    /// <inheritdoc cref="Operations.MinimumOp"/>
    public Tensor Minimum(float other) => Elementwise.Apply<MinimumOp>(this, other);

    /// <summary>min(max(x, low), high); at the bounds the gradient still passes, as in PyTorch.</summary>
    /// <param name="low">Least value of the result.</param>
    /// <param name="high">Greatest value of the result; it wins over a larger low.</param>
    public Tensor Clamp(float low, float high) => Elementwise.Apply<AtMostOp>(Elementwise.Apply<AtLeastOp>(this, low), high);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.GreaterOp"/>
    public Tensor Greater(Tensor other) => Elementwise.Apply<GreaterOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.GreaterOp"/>
    public Tensor Greater(float other) => Elementwise.Apply<GreaterOp>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.GreaterEqualOp"/>
    public Tensor GreaterEqual(Tensor other) => Elementwise.Apply<GreaterEqualOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.GreaterEqualOp"/>
    public Tensor GreaterEqual(float other) => Elementwise.Apply<GreaterEqualOp>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.LessOp"/>
    public Tensor Less(Tensor other) => Elementwise.Apply<LessOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.LessOp"/>
    public Tensor Less(float other) => Elementwise.Apply<LessOp>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.LessEqualOp"/>
    public Tensor LessEqual(Tensor other) => Elementwise.Apply<LessEqualOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.LessEqualOp"/>
    public Tensor LessEqual(float other) => Elementwise.Apply<LessEqualOp>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.EqualOp"/>
    public Tensor Equal(Tensor other) => Elementwise.Apply<EqualOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.EqualOp"/>
    public Tensor Equal(float other) => Elementwise.Apply<EqualOp>(this, other);

    /// <param name="other">b, where this tensor is a; shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.NotEqualOp"/>
    public Tensor NotEqual(Tensor other) => Elementwise.Apply<NotEqualOp>(this, other);

    /// <param name="other">b, one number, where this tensor is a.</param>
    /// <inheritdoc cref="Operations.NotEqualOp"/>
    public Tensor NotEqual(float other) => Elementwise.Apply<NotEqualOp>(this, other);

    /// <summary><paramref name="a"/> where this condition is not 0, <paramref name="b"/> elsewhere.</summary>
    /// <param name="a">Broadcasts with the condition, on the same device.</param>
    /// <param name="b">Likewise.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <remarks>
    /// What the one not chosen holds there, NaN and infinity too, does no harm: neither to the result nor to gradients, as element-wise operations take a
    /// gradient of 0 for 0 whatever their derivative is. So condition.Where(x.Sqrt(), 0) has a gradient of 0 where x is not above 0.
    /// </remarks>
    public Tensor Where(Tensor a, Tensor b) => Elementwise.Apply<WhereTrueOp>(a, this) + Elementwise.Apply<WhereFalseOp>(b, this);
}
