namespace QuadEngine;

/// <summary>Operations as operators and methods of a tensor; shapes of element-wise ones broadcast.</summary>
public partial class Tensor
{
    /// <summary>a + b.</summary>
    public static Tensor operator +(Tensor a, Tensor b) => Elementwise.Apply<Add>(a, b);

    /// <summary>a + b.</summary>
    public static Tensor operator +(Tensor a, float b) => Elementwise.Apply<Add>(a, b);

    /// <summary>a + b.</summary>
    public static Tensor operator +(float a, Tensor b) => b + a;

    /// <summary>a - b.</summary>
    public static Tensor operator -(Tensor a, Tensor b) => Elementwise.Apply<Subtract>(a, b);

    /// <summary>a - b.</summary>
    public static Tensor operator -(Tensor a, float b) => Elementwise.Apply<Subtract>(a, b);

    /// <summary>a - b.</summary>
    public static Tensor operator -(float a, Tensor b) => -b + a;

    /// <summary>a b, element by element.</summary>
    public static Tensor operator *(Tensor a, Tensor b) => Elementwise.Apply<Multiply>(a, b);

    /// <summary>a b.</summary>
    public static Tensor operator *(Tensor a, float b) => Elementwise.Apply<Multiply>(a, b);

    /// <summary>a b.</summary>
    public static Tensor operator *(float a, Tensor b) => b * a;

    /// <summary>a / b, element by element.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => Elementwise.Apply<Divide>(a, b);

    /// <summary>a / b.</summary>
    public static Tensor operator /(Tensor a, float b) => Elementwise.Apply<Divide>(a, b);

    /// <summary>a / b.</summary>
    public static Tensor operator /(float a, Tensor b) => Full([], a, b.Device) / b;

    /// <summary>-x.</summary>
    public static Tensor operator -(Tensor x) => Elementwise.Apply<Negate>(x);

    /// <inheritdoc cref="Operations.Power"/>
    public Tensor Pow(Tensor exponent) => Elementwise.Apply<Power>(this, exponent);

    /// <inheritdoc cref="Operations.Power"/>
    public Tensor Pow(float exponent) => Elementwise.Apply<Power>(this, exponent);

    /// <inheritdoc cref="Operations.Exp"/>
    public Tensor Exp() => Elementwise.Apply<Exp>(this);

    /// <inheritdoc cref="Operations.Log"/>
    public Tensor Log() => Elementwise.Apply<Log>(this);

    /// <inheritdoc cref="Operations.Sqrt"/>
    public Tensor Sqrt() => Elementwise.Apply<Sqrt>(this);

    /// <inheritdoc cref="Operations.Square"/>
    public Tensor Square() => Elementwise.Apply<Square>(this);

    /// <inheritdoc cref="Operations.Abs"/>
    public Tensor Abs() => Elementwise.Apply<Abs>(this);

    /// <inheritdoc cref="Operations.Tanh"/>
    public Tensor Tanh() => Elementwise.Apply<Tanh>(this);

    /// <inheritdoc cref="Operations.Sigmoid"/>
    public Tensor Sigmoid() => Elementwise.Apply<Sigmoid>(this);

    /// <inheritdoc cref="Operations.Relu"/>
    public Tensor Relu() => Elementwise.Apply<Relu>(this);

    /// <inheritdoc cref="Operations.LeakyRelu"/>
    public Tensor LeakyRelu(float slope = 0.01f) => Elementwise.Apply<LeakyRelu>(this, slope);

    /// <inheritdoc cref="Operations.Silu"/>
    public Tensor Silu() => Elementwise.Apply<Silu>(this);

    /// <inheritdoc cref="Operations.Gelu"/>
    public Tensor Gelu() => Elementwise.Apply<Gelu>(this);

    /// <inheritdoc cref="Operations.Softplus"/>
    public Tensor Softplus() => Elementwise.Apply<Softplus>(this);

    /// <inheritdoc cref="Operations.Maximum"/>
    public Tensor Maximum(Tensor other) => Elementwise.Apply<Maximum>(this, other);

    /// <inheritdoc cref="Operations.Maximum"/>
    public Tensor Maximum(float other) => Elementwise.Apply<Maximum>(this, other);

    /// <inheritdoc cref="Operations.Minimum"/>
    public Tensor Minimum(Tensor other) => Elementwise.Apply<Minimum>(this, other);

    /// <inheritdoc cref="Operations.Minimum"/>
    public Tensor Minimum(float other) => Elementwise.Apply<Minimum>(this, other);

    /// <summary>min(max(x, low), high); at the bounds the gradient still passes, as in PyTorch.</summary>
    public Tensor Clamp(float low, float high) => Elementwise.Apply<AtMost>(Elementwise.Apply<AtLeast>(this, low), high);

    /// <inheritdoc cref="Operations.Greater"/>
    public Tensor Greater(Tensor other) => Elementwise.Apply<Greater>(this, other);

    /// <inheritdoc cref="Operations.Greater"/>
    public Tensor Greater(float other) => Elementwise.Apply<Greater>(this, other);

    /// <inheritdoc cref="Operations.Equal"/>
    public Tensor Equal(Tensor other) => Elementwise.Apply<Equal>(this, other);

    /// <summary><paramref name="a"/> where this condition is not 0, <paramref name="b"/> elsewhere.</summary>
    /// <remarks>
    /// What the one not chosen holds there, NaN and infinity too, does no harm: neither to the result nor to gradients, as element-wise operations take a
    /// gradient of 0 for 0 whatever their derivative is. So condition.Where(x.Sqrt(), 0) has a gradient of 0 where x is not above 0.
    /// </remarks>
    public Tensor Where(Tensor a, Tensor b) => Elementwise.Apply<KeepWhere>(a, this) + Elementwise.Apply<DropWhere>(b, this);

    /// <inheritdoc cref="Operations.MatMul.Apply"/>
    public Tensor MatMul(Tensor other) => Operations.MatMul.Apply(this, other);

    /// <inheritdoc cref="Operations.Softmax"/>
    public Tensor Softmax() => Operations.Softmax.Apply(this);

    /// <inheritdoc cref="Operations.Softmax"/>
    public Tensor LogSoftmax() => Operations.Softmax.Apply(this, logarithm: true);
}
