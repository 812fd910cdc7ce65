using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>Functions of vectors whose bits are the same at any vector width.</summary>
static class VectorMath
{
    /// <summary>e^x to within 1 unit in the last place; NaN stays NaN, overflow is infinite, underflow gradual.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x) => Exp(x, out var half) * half;

    /// <summary>e^x as a product of two factors, for results that are above 0 although e^x itself underflows. The returned factor has full precision; the other is a power of 2.</summary>
    /// <remarks>
    /// x = n ln 2 + r with |r| at most ln 2 / 2. A Taylor polynomial of degree 7, whose remainder is below 6e-9, gives e^r. Then
    /// the exponent n is added in two halves, because 2^n may be out of range when the result is not.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x, out Vector<float> power)
    {
        // The operand order keeps NaN: if either operand is NaN, the native instructions return the second one.
        x = Vector.MinNative(new Vector<float>(89f), x);
        x = Vector.MaxNative(new Vector<float>(-LeastExponent), x);
        var n = Vector.Round(x * (1f / 0.693147181f));
        var r = Vector.FusedMultiplyAdd(n, new(-0.693359375f), x);
        r = Vector.FusedMultiplyAdd(n, new(2.12194440e-4f), r);

        var p = new Vector<float>(1f / 5040f);
        p = Vector.FusedMultiplyAdd(p, r, new(1f / 720f));
        p = Vector.FusedMultiplyAdd(p, r, new(1f / 120f));
        p = Vector.FusedMultiplyAdd(p, r, new(1f / 24f));
        p = Vector.FusedMultiplyAdd(p, r, new(1f / 6f));
        p = Vector.FusedMultiplyAdd(p, r, new(0.5f));
        p = Vector.FusedMultiplyAdd(p, r, Vector<float>.One);
        p = Vector.FusedMultiplyAdd(p, r, Vector<float>.One);

        var exponent = Vector.ConvertToInt32Native(n);
        var half = exponent >> 1;
        power = PowerOfTwo(exponent - half);
        return p * PowerOfTwo(half);
    }

    /// <summary>Below -120, the product of e^x and any factor that the functions here use is 0.</summary>
    public const float LeastExponent = 120f;

    /// <summary>factor exp(-a^2 / 2). It corrects the rounding of a^2, which the exponential would magnify.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> TimesNormal(Vector<float> factor, Vector<float> a)
    {
        var square = a * a;
        var rounding = Vector.FusedMultiplyAdd(a, a, -square);
        var e = Exp(new Vector<float>(-0.5f) * square, out var power);
        return factor * e * Vector.FusedMultiplyAdd(new(-0.5f), rounding, Vector<float>.One) * power;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> PowerOfTwo(Vector<int> exponent) => Vector.AsVectorSingle((exponent + new Vector<int>(127)) << 23);

    /// <summary>max(x, 0); NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Relu(Vector<float> x) => Vector.MaxNative(Vector<float>.Zero, x);

    /// <summary>The value where the condition is above 0 or NaN, otherwise 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> WherePositive(Vector<float> condition, Vector<float> value) =>
        Vector.AndNot(value, Vector.AsVectorSingle(Vector.LessThanOrEqual(condition, Vector<float>.Zero)));
}
