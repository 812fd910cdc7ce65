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
    public static T Sigmoid<T>(T x) where T : struct, IVector<T>
    {
        var e = VectorMath.Exp(-T.Abs(x));
        return T.Select(x < 0f, e, 1f) / (1f + e);
    }

    /// <summary>x sigmoid(x); 0 far below 0, where infinities would give NaN.</summary>
    internal static float Silu(float x) => NotBelowRange(x) * Sigmoid(x);

    /// <inheritdoc cref="Silu(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Silu<T>(T x) where T : struct, IVector<T>
    {
        var p = VectorMath.Exp(-T.Abs(x), out var n);
        var below = x < 0f;
        var numerator = T.Select(below, NotBelowRange(x) * p, x);
        return T.ScaleB(numerator / (1f + T.ScaleB(p, n)), T.Select(below, n, 0f));
    }

    /// <summary>s (1 + x (1 - s)) with s = sigmoid(x).</summary>
    internal static float SiluDerivative(float x) => Sigmoid(x) * (1f + NotBelowRange(x) * Sigmoid(-x));

    /// <inheritdoc cref="SiluDerivative(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T SiluDerivative<T>(T x) where T : struct, IVector<T>
    {
        T e = VectorMath.Exp(-T.Abs(x)), larger = 1f / (1f + e), smaller = e / (1f + e);
        var below = x < 0f;
        return T.Select(below, smaller, larger) * (1f + NotBelowRange(x) * T.Select(below, larger, smaller));
    }

    // x, or -120 for a smaller x, where x e^x is 0; NaN stays NaN.
    static float NotBelowRange(float x) => x < -VectorMath.LeastExponent ? -VectorMath.LeastExponent : x;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T NotBelowRange<T>(T x) where T : struct, IVector<T> => T.Max(-VectorMath.LeastExponent, x);

    /// <summary>log(1 + exp(-|x|)).</summary>
    internal static float SoftplusTail(float x) => LogOnePlusSeries(MathF.Exp(-MathF.Abs(x)));

    /// <inheritdoc cref="SoftplusTail(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T SoftplusTail<T>(T x) where T : struct, IVector<T> => LogOnePlusSeries(VectorMath.Exp(-T.Abs(x)));

    // ---- near 0, where log(1 + x) and e^x - 1 would cancel

    /// <summary>log(1 + x) = 2 atanh(s) for x from -1/2 to 1, with s = x / (2 + x), |s| at most 1/3: the odd series of atanh, s (2 + s^2 P(s^2)).</summary>
    static float LogOnePlusSeries(float x)
    {
        var s = x / (2f + x);
        var square = s * s;
        return 2f * s + s * square * (0.6666666732f + square * (0.3999970633f + square * (0.28592358f + square * (0.2170657579f + square * 0.2322432927f))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T LogOnePlusSeries<T>(T x) where T : struct, IVector<T>
    {
        var s = x / (2f + x);
        var square = s * s;
        var p = ((T)0.2322432927f).Next(square, 0.2170657579f).Next(square, 0.28592358f).Next(square, 0.3999970633f).Next(square, 0.6666666732f);
        return s + s + s * square * p;
    }

    /// <summary>log(1 + x); -infinity at -1, NaN below.</summary>
    /// <param name="x">Any float.</param>
    internal static float Log1p(float x) => x >= -0.5f && x <= 1f ? LogOnePlusSeries(x) : MathF.Log(1f + x);

    /// <inheritdoc cref="Log1p(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Log1p<T>(T x) where T : struct, IVector<T>
    {
        var near = (x >= -0.5f) & (x <= 1f);
        return T.Select(near, LogOnePlusSeries(x), T.Log(1f + x));
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
    internal static T Expm1<T>(T x) where T : struct, IVector<T>
    {
        var series = ((T)(1f / 40320f)).Next(x, 1f / 5040f).Next(x, 1f / 720f).Next(x, 1f / 120f).Next(x, 1f / 24f).Next(x, 1f / 6f).Next(x, 0.5f);
        return T.Select(T.Abs(x) < 0.5f, T.FusedMultiplyAdd(x * x, series, x), VectorMath.Exp(x) - 1f);
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
    public static T Tanh<T>(T x) where T : struct, IVector<T>
    {
        T magnitude = T.Abs(x), square = x * x;
        var series = x + x * square * ((T)0.002292744813f).Next(square, -0.008343945513f).Next(square, 0.02176891865f).Next(square, -0.05395925958f).Next(square, 0.1333330356f).Next(square, -0.3333333317f);
        var y = 1f - 2f / (VectorMath.Exp(magnitude + magnitude) + 1f);
        return T.Select(magnitude < TanhSeriesEnd, series, WithSignOf(x, y));
    }

    // ---- the normal distribution

    /// <summary>From this |x| on, the tail, and every product with it in this file, is 0 in float32.</summary>
    const float NormalEnd = 15f;

    /// <summary>(Phi(-a) / phi(a)) / sqrt(2 pi) for a from 0 to 15: a quotient of polynomials with positive coefficients, in which nothing cancels. Its relative error is below 7e-9.</summary>
    internal static float MillsRatio(float a) =>
        (0.5f + a * (0.4392926105f + a * (0.1839761221f + a * (0.04088351734f + a * 0.004153581136f))))
        / (1f + a * (1.676470225f + a * (1.205576909f + a * (0.4714271138f + a * (0.1024858959f + a * 0.01041137227f)))));

    /// <inheritdoc cref="MillsRatio(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T MillsRatio<T>(T a) where T : struct, IVector<T> =>
        ((T)0.004153581136f).Next(a, 0.04088351734f).Next(a, 0.1839761221f).Next(a, 0.4392926105f).Next(a, 0.5f)
        / ((T)0.01041137227f).Next(a, 0.1024858959f).Next(a, 0.4714271138f).Next(a, 1.205576909f).Next(a, 1.676470225f).Next(a, 1f);

    /// <summary>x Phi(x) = -a Phi(-a) below 0 and a - a Phi(-a) above, where a = |x| and Phi(-a) = exp(-a^2 / 2) <see cref="MillsRatio(float)"/>.</summary>
    internal static float Gelu(float x)
    {
        var a = NormalArgument(x);
        var tail = a * MillsRatio(a) * MathF.Exp(-0.5f * a * a);
        return x < 0f ? -tail : x - tail;
    }

    /// <inheritdoc cref="Gelu(float)"/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static T Gelu<T>(T x) where T : struct, IVector<T>
    {
        var a = NormalArgument(x);
        return T.Max(0f, x) - VectorMath.TimesNormal(a * MillsRatio(a), a);
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
    internal static T GeluDerivative<T>(T x) where T : struct, IVector<T>
    {
        var a = NormalArgument(x);
        var g = VectorMath.TimesNormal(MillsRatio(a) - InverseRootOfTwoPi * a, a);
        return T.Select(x < 0f, g, 1f - g);
    }

    // |x|, at most 15; NaN stays NaN.
    static float NormalArgument(float x)
    {
        var a = MathF.Abs(x);
        return a > NormalEnd ? NormalEnd : a;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T NormalArgument<T>(T x) where T : struct, IVector<T> => T.Min(NormalEnd, T.Abs(x));

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
    public static T Erf<T>(T x) where T : struct, IVector<T>
    {
        var square = x * x;
        var series = T.FusedMultiplyAdd(x, ((T)7.875875059e-5f).Next(square, -0.0008016864286f).Next(square, 0.005189087423f).Next(square, -0.02685421201f).Next(square, 0.1128359472f).Next(square, -0.3761262667f).Next(square, 0.128379166f), x);
        var a = NormalArgument(1.41421356f * x);
        var y = 1f - VectorMath.TimesNormal(2f * MillsRatio(a), a);
        return T.Select(T.Abs(x) < 1f, series, WithSignOf(x, y));
    }

    // ---- parts of these functions

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T WithSignOf<T>(T x, T magnitude) where T : struct, IVector<T> =>
        T.Select(x < 0f, -magnitude, magnitude);
}
