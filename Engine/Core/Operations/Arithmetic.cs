namespace QuadEngine;

/// <summary>Element-wise operations as operators and methods; shapes broadcast.</summary>
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
    public static Tensor operator *(Tensor a, float b) => b == 1f ? a : Elementwise.Apply<Multiply>(a, b);

    /// <summary>a b.</summary>
    public static Tensor operator *(float a, Tensor b) => b * a;

    /// <summary>a / b, element by element.</summary>
    public static Tensor operator /(Tensor a, Tensor b) => Elementwise.Apply<Divide>(a, b);

    /// <summary>a / b.</summary>
    public static Tensor operator /(Tensor a, float b) => a * (1f / b);

    /// <summary>a / b.</summary>
    public static Tensor operator /(float a, Tensor b) => Full([], a, b.Device) / b;

    /// <summary>-x.</summary>
    public static Tensor operator -(Tensor x) => Elementwise.Apply<Negate>(x);

    /// <inheritdoc cref="QuadEngine.Power"/>
    public Tensor Pow(Tensor exponent) => Elementwise.Apply<Power>(this, exponent);

    /// <inheritdoc cref="QuadEngine.Power"/>
    public Tensor Pow(float exponent) => Elementwise.Apply<Power>(this, exponent);

    /// <inheritdoc cref="QuadEngine.Exp"/>
    public Tensor Exp() => Elementwise.Apply<Exp>(this);

    /// <inheritdoc cref="QuadEngine.Log"/>
    public Tensor Log() => Elementwise.Apply<Log>(this);

    /// <inheritdoc cref="QuadEngine.Sqrt"/>
    public Tensor Sqrt() => Elementwise.Apply<Sqrt>(this);

    /// <inheritdoc cref="QuadEngine.Square"/>
    public Tensor Square() => Elementwise.Apply<Square>(this);

    /// <inheritdoc cref="QuadEngine.Abs"/>
    public Tensor Abs() => Elementwise.Apply<Abs>(this);

    /// <inheritdoc cref="QuadEngine.Tanh"/>
    public Tensor Tanh() => Elementwise.Apply<Tanh>(this);

    /// <inheritdoc cref="QuadEngine.Sigmoid"/>
    public Tensor Sigmoid() => Elementwise.Apply<Sigmoid>(this);

    /// <inheritdoc cref="QuadEngine.Relu"/>
    public Tensor Relu() => Elementwise.Apply<Relu>(this);

    /// <inheritdoc cref="QuadEngine.LeakyRelu"/>
    public Tensor LeakyRelu(float slope = 0.01f) => Elementwise.Apply<LeakyRelu>(this, slope);

    /// <inheritdoc cref="QuadEngine.Silu"/>
    public Tensor Silu() => Elementwise.Apply<Silu>(this);

    /// <inheritdoc cref="QuadEngine.Gelu"/>
    public Tensor Gelu() => Elementwise.Apply<Gelu>(this);

    /// <inheritdoc cref="QuadEngine.Softplus"/>
    public Tensor Softplus() => Elementwise.Apply<Softplus>(this);

    /// <inheritdoc cref="QuadEngine.Maximum"/>
    public Tensor Maximum(Tensor other) => Elementwise.Apply<Maximum>(this, other);

    /// <inheritdoc cref="QuadEngine.Maximum"/>
    public Tensor Maximum(float other) => Elementwise.Apply<Maximum>(this, other);

    /// <inheritdoc cref="QuadEngine.Minimum"/>
    public Tensor Minimum(Tensor other) => Elementwise.Apply<Minimum>(this, other);

    /// <inheritdoc cref="QuadEngine.Minimum"/>
    public Tensor Minimum(float other) => Elementwise.Apply<Minimum>(this, other);

    /// <summary>min(max(x, low), high).</summary>
    public Tensor Clamp(float low, float high) => Maximum(low).Minimum(high);

    /// <inheritdoc cref="QuadEngine.Greater"/>
    public Tensor Greater(Tensor other) => Elementwise.Apply<Greater>(this, other);

    /// <inheritdoc cref="QuadEngine.Greater"/>
    public Tensor Greater(float other) => Elementwise.Apply<Greater>(this, other);

    /// <inheritdoc cref="QuadEngine.Equal"/>
    public Tensor Equal(Tensor other) => Elementwise.Apply<Equal>(this, other);

    /// <summary><paramref name="a"/> where this condition is not 0, <paramref name="b"/> elsewhere; NaN in the one not chosen does no harm.</summary>
    public Tensor Where(Tensor a, Tensor b) => Elementwise.Apply<KeepWhere>(a, this) + Elementwise.Apply<DropWhere>(b, this);
}
