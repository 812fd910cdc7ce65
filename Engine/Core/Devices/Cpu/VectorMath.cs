using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>Functions of vectors whose bits are the same at any vector width.</summary>
static class VectorMath
{
    /// <summary>e^x to within 1 unit in the last place; NaN stays NaN, overflow is infinite, underflow gradual.</summary>
    /// <remarks>
    /// x = n ln 2 + r with |r| at most ln 2 / 2; e^r by its Taylor polynomial of degree 7, whose remainder is below 6e-9; then
    /// the exponent n is added in two halves, since 2^n alone may be out of range where the result is not.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        // The operand order keeps NaN: of two operands the native instructions return the second where either is one.
        x = Vector.MinNative(new Vector<float>(89f), x);
        x = Vector.MaxNative(new Vector<float>(-104f), x);
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
        return p * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> PowerOfTwo(Vector<int> exponent) => Vector.AsVectorSingle((exponent + new Vector<int>(127)) << 23);

    /// <summary>max(x, 0); NaN stays NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Relu(Vector<float> x) => Vector.MaxNative(Vector<float>.Zero, x);

    /// <summary>The value where the condition is above 0, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> WherePositive(Vector<float> condition, Vector<float> value) =>
        value & Vector.AsVectorSingle(Vector.GreaterThan(condition, Vector<float>.Zero));
}
