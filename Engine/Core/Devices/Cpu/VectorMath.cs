using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>Functions of vectors whose bits are the same at any vector width.</summary>
static class VectorMath
{
    /// <summary>e^x to within 1 unit in the last place; NaN stays NaN, overflow is infinite, underflow gradual.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x) where T : struct, IVector<T>
    {
        var p = Exp(x, out var n);
        return T.ScaleB(p, n);
    }

    /// <summary>e^x = p 2^n, for results that are above 0 although e^x itself underflows. Returns p, which has full precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Exp<T>(T x, out T n) where T : struct, IVector<T> => ExpOfRest(Reduce(T.Max(-LeastExponent, T.Min(89f, x)), out n));

    /// <summary>x = n ln 2 + r with |r| at most ln 2 / 2. Returns r.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T Reduce<T>(T x, out T n) where T : struct, IVector<T>
    {
        n = T.Round(x * (1f / 0.693147181f));
        var r = T.FusedMultiplyAdd(n, -0.693359375f, x);
        return T.FusedMultiplyAdd(n, 2.12194440e-4f, r);
    }

    /// <summary>e^r for |r| up to ln 2 / 2: a Taylor polynomial of degree 7, whose remainder is below 6e-9.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static T ExpOfRest<T>(T r) where T : struct, IVector<T> =>
        ((T)(1f / 5040f)).Next(r, 1f / 720f).Next(r, 1f / 120f).Next(r, 1f / 24f).Next(r, 1f / 6f).Next(r, 0.5f).Next(r, 1f).Next(r, 1f);

    /// <summary>A step of Horner's rule: sum x + coefficient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Next<T>(this T sum, T x, float coefficient) where T : struct, IVector<T> => T.FusedMultiplyAdd(sum, x, coefficient);

    /// <summary>Below -120, the product of e^x and any factor that the functions here use is 0.</summary>
    public const float LeastExponent = 120f;

    /// <summary>factor exp(-a^2 / 2) for a up to 15. It corrects the rounding of a^2, which the exponential would magnify.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T TimesNormal<T>(T factor, T a) where T : struct, IVector<T>
    {
        var square = a * a;
        var rounding = T.FusedMultiplyAdd(a, a, -square);
        var r = T.FusedMultiplyAdd(-0.5f, rounding, Reduce(-0.5f * square, out var n));
        return T.ScaleB(factor * ExpOfRest(r), n);
    }

    /// <summary>max(x, 0); NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Relu<T>(T x) where T : struct, IVector<T> => T.Max(0f, x);

    /// <summary>The value where the condition is above 0 or NaN, otherwise 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T WherePositive<T>(T condition, T value) where T : struct, IVector<T> =>
        T.AndNot(value, condition <= 0f);
}
