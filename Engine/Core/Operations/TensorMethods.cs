namespace QuadEngine;

/// <summary>Operations as operators and methods of a tensor. The shapes of element-wise operations broadcast.</summary>
public partial class Tensor
{
    /// <summary>a + b.</summary>
    /// <param name="a">A tensor of any shape.</param>
    /// <param name="b">A tensor on the same device; its shape broadcasts with the shape of <paramref name="a"/>.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    public static Tensor operator +(Tensor a, Tensor b) => Elementwise.Apply<AddOp>(a, b);

    /// <summary>a + b.</summary>
    /// <param name="a">A tensor of any shape; the result has the same shape.</param>
    /// <param name="b">The number for all elements. It gets no gradient.</param>
    public static Tensor operator +(Tensor a, float b) => Elementwise.Apply<AddOp>(a, b);

    /// <summary>a + b.</summary>
    /// <param name="a">The number for all elements. It gets no gradient.</param>
    /// <param name="b">A tensor of any shape; the result has the same shape.</param>
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
    /// <param name="x">A tensor of any shape; the result has the same shape.</param>
    public static Tensor operator -(Tensor x) => Elementwise.Apply<NegateOp>(x);

    /// <param name="exponent">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.PowerOp"/>
    public Tensor Pow(Tensor exponent) => Elementwise.Apply<PowerOp>(this, exponent);

    /// <param name="exponent">The operand b, one number for all elements of this tensor a. It gets no gradient.</param>
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

    /// <inheritdoc cref="Operations.Relu6Op"/>
    public Tensor Relu6() => Elementwise.Apply<Relu6Op>(this);

    /// <inheritdoc cref="Operations.HardSigmoidOp"/>
    public Tensor HardSigmoid() => Elementwise.Apply<HardSigmoidOp>(this);

    /// <inheritdoc cref="Operations.HardSwishOp"/>
    public Tensor HardSwish() => Elementwise.Apply<HardSwishOp>(this);

    /// <param name="slope">The factor for elements of 0 and below.</param>
    /// <inheritdoc cref="Operations.LeakyReluOp"/>
    public Tensor LeakyRelu(float slope = 0.01f) => Elementwise.Apply<LeakyReluOp>(this, slope);

    /// <inheritdoc cref="Operations.SiluOp"/>
    public Tensor Silu() => Elementwise.Apply<SiluOp>(this);

    /// <inheritdoc cref="Operations.GeluOp"/>
    public Tensor Gelu() => Elementwise.Apply<GeluOp>(this);

    /// <inheritdoc cref="Operations.SoftplusOp"/>
    public Tensor Softplus() => Elementwise.Apply<SoftplusOp>(this);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.MaximumOp"/>
    public Tensor Maximum(Tensor other) => Elementwise.Apply<MaximumOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a. It gets no gradient.</param>
    /// <inheritdoc cref="Operations.MaximumOp"/>
    public Tensor Maximum(float other) => Elementwise.Apply<MaximumOp>(this, other);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.MinimumOp"/>
    public Tensor Minimum(Tensor other) => Elementwise.Apply<MinimumOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a. It gets no gradient.</param>
    /// <inheritdoc cref="Operations.MinimumOp"/>
    public Tensor Minimum(float other) => Elementwise.Apply<MinimumOp>(this, other);

    /// <summary>min(max(x, low), high); at the bounds the gradient still passes, as in PyTorch.</summary>
    /// <param name="low">The least value of the result.</param>
    /// <param name="high">The greatest value of the result; if low is larger, the result is high.</param>
    public Tensor Clamp(float low, float high) => Elementwise.Apply<AtMostOp>(Elementwise.Apply<AtLeastOp>(this, low), high);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.GreaterOp"/>
    public Tensor Greater(Tensor other) => Elementwise.Apply<GreaterOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a.</param>
    /// <inheritdoc cref="Operations.GreaterOp"/>
    public Tensor Greater(float other) => Elementwise.Apply<GreaterOp>(this, other);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.GreaterEqualOp"/>
    public Tensor GreaterEqual(Tensor other) => Elementwise.Apply<GreaterEqualOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a.</param>
    /// <inheritdoc cref="Operations.GreaterEqualOp"/>
    public Tensor GreaterEqual(float other) => Elementwise.Apply<GreaterEqualOp>(this, other);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.LessOp"/>
    public Tensor Less(Tensor other) => Elementwise.Apply<LessOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a.</param>
    /// <inheritdoc cref="Operations.LessOp"/>
    public Tensor Less(float other) => Elementwise.Apply<LessOp>(this, other);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.LessEqualOp"/>
    public Tensor LessEqual(Tensor other) => Elementwise.Apply<LessEqualOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a.</param>
    /// <inheritdoc cref="Operations.LessEqualOp"/>
    public Tensor LessEqual(float other) => Elementwise.Apply<LessEqualOp>(this, other);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.EqualOp"/>
    public Tensor Equal(Tensor other) => Elementwise.Apply<EqualOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a.</param>
    /// <inheritdoc cref="Operations.EqualOp"/>
    public Tensor Equal(float other) => Elementwise.Apply<EqualOp>(this, other);

    /// <param name="other">The operand b; this tensor is a. The shapes broadcast.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <inheritdoc cref="Operations.NotEqualOp"/>
    public Tensor NotEqual(Tensor other) => Elementwise.Apply<NotEqualOp>(this, other);

    /// <param name="other">The operand b, one number for all elements of this tensor a.</param>
    /// <inheritdoc cref="Operations.NotEqualOp"/>
    public Tensor NotEqual(float other) => Elementwise.Apply<NotEqualOp>(this, other);

    /// <summary><paramref name="a"/> where this condition is not 0, <paramref name="b"/> elsewhere.</summary>
    /// <param name="a">A tensor on the same device; its shape broadcasts with the shape of the condition.</param>
    /// <param name="b">A tensor on the same device; its shape broadcasts with the shape of the condition.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    /// <remarks>
    /// An element that is not chosen affects neither the result nor a gradient, even if it is NaN or infinite: element-wise operations turn a gradient of 0
    /// into 0, whatever their derivative is. So condition.Where(x.Sqrt(), 0) has a gradient of 0 where x is not above 0.
    /// </remarks>
    public Tensor Where(Tensor a, Tensor b) => Elementwise.Apply<WhereTrueOp>(a, this) + Elementwise.Apply<WhereFalseOp>(b, this);
}
