using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Data;

/// <summary>
/// The inverse discrete cosine transform of 8 x 8 coefficients in integers (Loeffler, Ligtenberg and Moschytz 1989). It takes 12 multiplications for each row, and its rounding is
/// exactly that of libjpeg. A vector holds eight columns.
/// </summary>
static class JpegTransform
{
    const int Side = JpegBlock.Side, FractionBits = 13, ExtraBits = 2;
    const int Gray = 128;

    // Cosines times 2^13.
    const int C0298 = 2446, C0390 = 3196, C0541 = 4433, C0765 = 6270, C0899 = 7373, C1175 = 9633, C1501 = 12299, C1847 = 15137, C1961 = 16069, C2053 = 16819, C2562 = 20995, C3072 = 25172;

    /// <summary>Writes the samples of a block.</summary>
    /// <param name="coefficients">The coefficients [8, 8].</param>
    /// <param name="quantization">The factor of each coefficient.</param>
    /// <param name="even">Whether only the first coefficient is not zero.</param>
    /// <param name="to">The samples from the first sample of the block.</param>
    /// <param name="stride">The number of samples from one row to the next.</param>
    public static void Inverse(ReadOnlySpan<short> coefficients, int[] quantization, bool even, Span<byte> to, int stride)
    {
        if (even)
        {
            var sample = Sample(((coefficients[0] * quantization[0] << ExtraBits) + (1 << (ExtraBits + 2))) >> (ExtraBits + 3));
            for (var y = 0; y < Side; y++) to.Slice(y * stride, Side).Fill(sample);
            return;
        }

        Rows rows = default;
        for (var i = 0; i < Side; i++)
        {
            var (low, high) = Vector128.Widen(Vector128.Create(coefficients.Slice(i * Side, Side)));
            rows[i] = Vector256.Create(low, high) * Vector256.Create<int>(quantization.AsSpan(i * Side, Side));
        }

        Along(ref rows, FractionBits - ExtraBits);
        var values = MemoryMarshal.Cast<Vector256<int>, int>((Span<Vector256<int>>)rows);
        Transpose(values);
        Along(ref rows, FractionBits + ExtraBits + 3);
        for (var i = 0; i < Side; i++) rows[i] = Vector256.Max(Vector256.Min(rows[i] + Vector256.Create(Gray), Vector256.Create(255)), Vector256<int>.Zero);
        for (var y = 0; y < Side; y++)
        {
            var row = to.Slice(y * stride, Side);
            for (var x = 0; x < row.Length; x++) row[x] = (byte)values[x * Side + y];
        }
    }

    static byte Sample(int value) => (byte)Math.Clamp(value + Gray, 0, 255);

    /// <summary>Transforms all columns and divides the results by 2^shift.</summary>
    static void Along(ref Rows r, int shift)
    {
        var z = (r[2] + r[6]) * C0541;
        var (even2, even3) = (z - r[6] * C1847, z + r[2] * C0765);
        var (even0, even1) = ((r[0] + r[4]) << FractionBits, (r[0] - r[4]) << FractionBits);
        var (sum0, sum3, sum1, sum2) = (even0 + even3, even0 - even3, even1 + even2, even1 - even2);

        var (z1, z2, z3, z4) = ((r[7] + r[1]) * -C0899, (r[5] + r[3]) * -C2562, r[7] + r[3], r[5] + r[1]);
        var z5 = (z3 + z4) * C1175;
        z3 = z3 * -C1961 + z5;
        z4 = z4 * -C0390 + z5;
        var odd0 = r[7] * C0298 + z1 + z3;
        var odd1 = r[5] * C2053 + z2 + z4;
        var odd2 = r[3] * C3072 + z2 + z3;
        var odd3 = r[1] * C1501 + z1 + z4;

        var half = Vector256.Create(1 << (shift - 1));
        (r[0], r[7]) = ((sum0 + odd3 + half) >> shift, (sum0 - odd3 + half) >> shift);
        (r[1], r[6]) = ((sum1 + odd2 + half) >> shift, (sum1 - odd2 + half) >> shift);
        (r[2], r[5]) = ((sum2 + odd1 + half) >> shift, (sum2 - odd1 + half) >> shift);
        (r[3], r[4]) = ((sum3 + odd0 + half) >> shift, (sum3 - odd0 + half) >> shift);
    }

    static void Transpose(Span<int> values)
    {
        for (var y = 0; y < Side; y++)
            for (var x = y + 1; x < Side; x++) (values[y * Side + x], values[x * Side + y]) = (values[x * Side + y], values[y * Side + x]);
    }

    [InlineArray(Side)]
    struct Rows
    {
        Vector256<int> first;
    }
}
