using System.Numerics;
using System.Runtime.CompilerServices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Operations;

/// <summary>
/// Scalar and vector functions that the base library lacks, or that GPU compilers would only approximate. Element-wise
/// operations use them. The scalar forms are plain arithmetic and <see cref="MathF.Exp"/>, for GPUs. The CPU computes the vector
/// forms. docs/accuracy.md lists their errors.
/// </summary>
/// <remarks>
/// All of them use e = exp(-|x|), which cannot overflow, in forms in which nothing cancels. So even a tiny result has nearly all its digits.
/// </remarks>
public static partial class Scalar
{
    // ---- the logistic function

    /// <summary>1 / (1 + exp(-x)) = e / (1 + e) below 0, with e = exp(-|x|).</summary>
    /// <param name="x">Any float: the infinities give 0 and 1, NaN stays NaN.</param>
    public static float Sigmoid(float x)
    {
        var e = MathF.Exp(-MathF.Abs(x));
        return (x < 0f ? e : 1f) / (1f + e);
    }

    /// <inheritdoc cref="Sigmoid(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Sigmoid(Vector<float> x)
    {
        var e = VectorMath.Exp(-Vector.Abs(x));
        return Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), e, Vector<float>.One) / (Vector<float>.One + e);
    }

    /// <summary>x sigmoid(x); 0 far below 0, where infinities would give NaN.</summary>
    internal static float Silu(float x) => NotBelowRange(x) * Sigmoid(x);

    /// <inheritdoc cref="Silu(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Silu(Vector<float> x)
    {
        var e = VectorMath.Exp(-Vector.Abs(x), out var power);
        var below = Vector.LessThan(x, Vector<float>.Zero);
        var numerator = Vector.ConditionalSelect(below, NotBelowRange(x) * e, x);
        return numerator / (Vector<float>.One + e * power) * Vector.ConditionalSelect(below, power, Vector<float>.One);
    }

    /// <summary>s (1 + x (1 - s)) with s = sigmoid(x).</summary>
    internal static float SiluDerivative(float x) => Sigmoid(x) * (1f + NotBelowRange(x) * Sigmoid(-x));

    /// <inheritdoc cref="SiluDerivative(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> SiluDerivative(Vector<float> x) => Sigmoid(x) * (Vector<float>.One + NotBelowRange(x) * Sigmoid(-x));

    // x, or -120 for a smaller x, where x e^x is 0; NaN stays NaN.
    static float NotBelowRange(float x) => x < -VectorMath.LeastExponent ? -VectorMath.LeastExponent : x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> NotBelowRange(Vector<float> x) => Vector.MaxNative(new(-VectorMath.LeastExponent), x);

    /// <summary>log(1 + exp(-|x|)).</summary>
    internal static float SoftplusTail(float x) => LogOnePlusSeries(MathF.Exp(-MathF.Abs(x)));

    /// <inheritdoc cref="SoftplusTail(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> SoftplusTail(Vector<float> x) => LogOnePlusSeries(VectorMath.Exp(-Vector.Abs(x)));

    // ---- near 0, where log(1 + x) and e^x - 1 would cancel

    /// <summary>log(1 + x) = 2 atanh(s) for x from -1/2 to 1, with s = x / (2 + x), |s| at most 1/3: the odd series of atanh, s (2 + s^2 P(s^2)).</summary>
    static float LogOnePlusSeries(float x)
    {
        var s = x / (2f + x);
        var square = s * s;
        return 2f * s + s * square * (0.6666666732f + square * (0.3999970633f + square * (0.28592358f + square * (0.2170657579f + square * 0.2322432927f))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> LogOnePlusSeries(Vector<float> x)
    {
        var s = x / (new Vector<float>(2f) + x);
        var square = s * s;
        var p = new Vector<float>(0.2322432927f).Next(square, 0.2170657579f).Next(square, 0.28592358f).Next(square, 0.3999970633f).Next(square, 0.6666666732f);
        return s + s + s * square * p;
    }

    /// <summary>log(1 + x); -infinity at -1, NaN below.</summary>
    /// <param name="x">Any float.</param>
    internal static float Log1p(float x) => x >= -0.5f && x <= 1f ? LogOnePlusSeries(x) : MathF.Log(1f + x);

    /// <inheritdoc cref="Log1p(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Log1p(Vector<float> x)
    {
        var near = Vector.GreaterThanOrEqual(x, new(-0.5f)) & Vector.LessThanOrEqual(x, Vector<float>.One);
        return Vector.ConditionalSelect(near, LogOnePlusSeries(x), Vector.Log(Vector<float>.One + x));
    }

    /// <summary>e^x - 1. For |x| below 1/2 it is the Taylor polynomial x + x^2 P(x) of degree 8, with a relative remainder below 1e-8.</summary>
    /// <param name="x">Any float.</param>
    internal static float Expm1(float x)
    {
        if (!(MathF.Abs(x) < 0.5f)) return MathF.Exp(x) - 1f;
        return x + x * x * (0.5f + x * (1f / 6f + x * (1f / 24f + x * (1f / 120f + x * (1f / 720f + x * (1f / 5040f + x * (1f / 40320f)))))));
    }

    /// <inheritdoc cref="Expm1(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Expm1(Vector<float> x)
    {
        var series = new Vector<float>(1f / 40320f).Next(x, 1f / 5040f).Next(x, 1f / 720f).Next(x, 1f / 120f).Next(x, 1f / 24f).Next(x, 1f / 6f).Next(x, 0.5f);
        return Vector.ConditionalSelect(Vector.LessThan(Vector.Abs(x), new(0.5f)), Vector.FusedMultiplyAdd(x * x, series, x), VectorMath.Exp(x) - Vector<float>.One);
    }

    // ---- hyperbolic tangent

    const float TanhSeriesEnd = 0.625f;

    /// <summary>tanh |x| = 1 - 2 / (exp(2 |x|) + 1). Below 0.625, where this would cancel, the odd polynomial x + x^3 P(x^2).</summary>
    /// <param name="x">Any float: the infinities give -1 and 1, NaN stays NaN.</param>
    public static float Tanh(float x)
    {
        float magnitude = MathF.Abs(x), square = x * x;
        if (magnitude < TanhSeriesEnd)
            return x + x * square * (-0.3333333317f + square * (0.1333330356f + square * (-0.05395925958f + square * (0.02176891865f + square * (-0.008343945513f + square * 0.002292744813f)))));
        var y = 1f - 2f / (MathF.Exp(2f * magnitude) + 1f);
        return x < 0f ? -y : y;
    }

    /// <inheritdoc cref="Tanh(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Tanh(Vector<float> x)
    {
        Vector<float> magnitude = Vector.Abs(x), square = x * x;
        var series = x + x * square * new Vector<float>(0.002292744813f).Next(square, -0.008343945513f).Next(square, 0.02176891865f).Next(square, -0.05395925958f).Next(square, 0.1333330356f).Next(square, -0.3333333317f);
        var y = Vector<float>.One - new Vector<float>(2f) / (VectorMath.Exp(magnitude + magnitude) + Vector<float>.One);
        return Vector.ConditionalSelect(Vector.LessThan(magnitude, new(TanhSeriesEnd)), series, WithSignOf(x, y));
    }

    // ---- the normal distribution

    /// <summary>From this |x| on, the tail, and every product with it in this file, is 0 in float32.</summary>
    const float NormalEnd = 15f;

    /// <summary>(Phi(-a) / phi(a)) / sqrt(2 pi) for a from 0 to 15: t P(u) with t = 3 / (3 + a) and u = a / (3 + a).</summary>
    internal static float MillsRatio(float a)
    {
        float inverse = 1f / (3f + a), u = a * inverse;
        return 3f * inverse * (0.5f + u * (-0.6968269879f + u * (0.3563533969f + u * (0.06890496247f + u * (-0.0854230212f + u * (-0.04675286127f + u * (0.03991883062f + u * (-0.04006393747f + u * (0.08993267697f + u * (-0.07201629059f + u * 0.01895591242f))))))))));
    }

    /// <inheritdoc cref="MillsRatio(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> MillsRatio(Vector<float> a)
    {
        Vector<float> inverse = Vector<float>.One / (new Vector<float>(3f) + a), u = a * inverse;
        return new Vector<float>(3f) * inverse * new Vector<float>(0.01895591242f).Next(u, -0.07201629059f).Next(u, 0.08993267697f).Next(u, -0.04006393747f).Next(u, 0.03991883062f).Next(u, -0.04675286127f)
            .Next(u, -0.0854230212f).Next(u, 0.06890496247f).Next(u, 0.3563533969f).Next(u, -0.6968269879f).Next(u, 0.5f);
    }

    /// <summary>x Phi(x) = -a Phi(-a) below 0 and a - a Phi(-a) above, where a = |x| and Phi(-a) = exp(-a^2 / 2) <see cref="MillsRatio(float)"/>.</summary>
    internal static float Gelu(float x)
    {
        var a = NormalArgument(x);
        var tail = a * MillsRatio(a) * MathF.Exp(-0.5f * a * a);
        return x < 0f ? -tail : x - tail;
    }

    /// <inheritdoc cref="Gelu(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> Gelu(Vector<float> x)
    {
        var a = NormalArgument(x);
        var tail = VectorMath.TimesNormal(a * MillsRatio(a), a);
        return Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -tail, x - tail);
    }

    const float InverseRootOfTwoPi = 0.39894228f;

    /// <summary>Phi(x) + x phi(x): with g = exp(-a^2 / 2) (<see cref="MillsRatio(float)"/> - a / sqrt(2 pi)), g below 0 and 1 - g above.</summary>
    internal static float GeluDerivative(float x)
    {
        var a = NormalArgument(x);
        var g = (MillsRatio(a) - InverseRootOfTwoPi * a) * MathF.Exp(-0.5f * a * a);
        return x < 0f ? g : 1f - g;
    }

    /// <inheritdoc cref="GeluDerivative(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector<float> GeluDerivative(Vector<float> x)
    {
        var a = NormalArgument(x);
        var g = VectorMath.TimesNormal(MillsRatio(a) - new Vector<float>(InverseRootOfTwoPi) * a, a);
        return Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), g, Vector<float>.One - g);
    }

    // |x|, at most 15; NaN stays NaN.
    static float NormalArgument(float x)
    {
        var a = MathF.Abs(x);
        return a > NormalEnd ? NormalEnd : a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> NormalArgument(Vector<float> x) => Vector.MinNative(new(NormalEnd), Vector.Abs(x));

    /// <summary>The error function, 1 - 2 Phi(-a) for a = sqrt(2) |x|. Below 1, where this would cancel, the odd polynomial x + x P(x^2).</summary>
    /// <param name="x">Any float: the infinities give -1 and 1, NaN stays NaN.</param>
    public static float Erf(float x)
    {
        float magnitude = MathF.Abs(x), square = x * x;
        if (magnitude < 1f)
            return x + x * (0.128379166f + square * (-0.3761262667f + square * (0.1128359472f + square * (-0.02685421201f + square * (0.005189087423f + square * (-0.0008016864286f + square * 7.875875059e-5f))))));
        var a = NormalArgument(1.41421356f * x);
        var y = 1f - 2f * MillsRatio(a) * MathF.Exp(-0.5f * a * a);
        return x < 0f ? -y : y;
    }

    /// <inheritdoc cref="Erf(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Erf(Vector<float> x)
    {
        var square = x * x;
        var series = Vector.FusedMultiplyAdd(x, new Vector<float>(7.875875059e-5f).Next(square, -0.0008016864286f).Next(square, 0.005189087423f).Next(square, -0.02685421201f).Next(square, 0.1128359472f).Next(square, -0.3761262667f).Next(square, 0.128379166f), x);
        var a = NormalArgument(new Vector<float>(1.41421356f) * x);
        var y = Vector<float>.One - VectorMath.TimesNormal(new Vector<float>(2f) * MillsRatio(a), a);
        return Vector.ConditionalSelect(Vector.LessThan(Vector.Abs(x), Vector<float>.One), series, WithSignOf(x, y));
    }

    // ---- parts of these functions

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> WithSignOf(Vector<float> x, Vector<float> magnitude) =>
        Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -magnitude, magnitude);

    // A step of Horner's rule.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> Next(this Vector<float> sum, Vector<float> x, float coefficient) => Vector.FusedMultiplyAdd(sum, x, new(coefficient));
}
