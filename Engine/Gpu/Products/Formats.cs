using ILGPU;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// A number format that tensor cores multiply; sums are always float32. A lane's four adjacent terms of a sum are packed into
/// Words words of 32 bits. An instruction takes two words of each row, so there are Words / 2 instructions for 16 terms.
/// </summary>
interface IFormat
{
    static abstract int Words { get; }

    /// <summary>The nearest number of the format.</summary>
    /// <param name="x">A float32; NaN stays NaN.</param>
    static abstract float Round(float x);

    /// <summary>The words of four terms, by the instructions of the device.</summary>
    /// <param name="terms">Four adjacent terms of a row.</param>
    /// <param name="words">A thread's own array.</param>
    /// <param name="at">The index of the first of the <see cref="Words"/> words.</param>
    static abstract void Pack(Quad terms, int[] words, int at);

    /// <summary>The same words, by the instructions of any device.</summary>
    /// <inheritdoc cref="Pack"/>
    static abstract void PackPortably(Quad terms, int[] words, int at);

    /// <summary>Adds the products of the terms in two words to a sum.</summary>
    /// <param name="sum">The sum so far.</param>
    /// <param name="a">A word of the left operand.</param>
    /// <param name="b">The word of the right one with the same terms.</param>
    static abstract float Add(float sum, int a, int b);

    /// <summary>Adds products to 64 x 128 sums of a warp group, twice. The left factors are a, then b; the right factors are in shared memory (<see cref="WarpGroupText"/>).</summary>
    /// <param name="a0">For the first instruction, the first word of row g.</param>
    /// <param name="a1">For the first instruction, the first word of row g + 8.</param>
    /// <param name="a2">For the first instruction, the second word of row g.</param>
    /// <param name="a3">For the first instruction, the second word of row g + 8.</param>
    /// <param name="b0">For the second instruction, the first word of row g.</param>
    /// <param name="b1">For the second instruction, the first word of row g + 8.</param>
    /// <param name="b2">For the second instruction, the second word of row g.</param>
    /// <param name="b3">For the second instruction, the second word of row g + 8.</param>
    /// <param name="matrix">The descriptor of the right factors: their address, and the distances between their parts.</param>
    static abstract void MultiplyByGroup(int a0, int a1, int a2, int a3, int b0, int b1, int b2, int b3, long matrix);

    /// <summary>Adds the products of a and b to 16 x 8 sums, four per lane, with g as in <see cref="Fragments"/>.</summary>
    /// <param name="a0">The first word of row g of the left operand.</param>
    /// <param name="a1">The first word of row g + 8.</param>
    /// <param name="a2">The second word of row g.</param>
    /// <param name="a3">The second word of row g + 8.</param>
    /// <param name="b0">The first word of column g of the right operand.</param>
    /// <param name="b1">The second word of column g.</param>
    /// <param name="sums">The lane's own array.</param>
    /// <param name="at">The index of the first of its four sums.</param>
    static abstract void Multiply(int a0, int a1, int a2, int a3, int b0, int b1, float[] sums, int at);
}

/// <summary>TensorFloat-32: 8 bits of exponent and 10 of mantissa, in a word; ties are rounded away from zero.</summary>
readonly struct Tf32 : IFormat
{
    public static int Words => 4;

    public static float Round(float x) => float.IsNaN(x) ? x : Interop.IntAsFloat((Interop.FloatAsInt(x) + 0x1000u) & ~0x1fffu);

    public static void Pack(Quad terms, int[] words, int at)
    {
        words[at] = Word(terms.X);
        words[at + 1] = Word(terms.Y);
        words[at + 2] = Word(terms.Z);
        words[at + 3] = Word(terms.W);
    }

    public static void Multiply(int a0, int a1, int a2, int a3, int b0, int b1, float[] sums, int at)
    {
        Ref<float> c0 = sums[at], c1 = sums[at + 1], c2 = sums[at + 2], c3 = sums[at + 3];
        Input<int> i0 = a0, i1 = a1, i2 = a2, i3 = a3, j0 = b0, j1 = b1;
        CudaAsm.EmitRef("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};", ref c0, ref c1, ref c2, ref c3, ref i0, ref i1, ref i2, ref i3, ref j0, ref j1);
        (sums[at], sums[at + 1], sums[at + 2], sums[at + 3]) = (c0.Value, c1.Value, c2.Value, c3.Value);
    }

    public static void MultiplyByGroup(int a0, int a1, int a2, int a3, int b0, int b1, int b2, int b3, long matrix) =>
        CudaAsm.Emit("sums.add.tf32 %0, %1, %2, %3, %4, %5, %6, %7, %8;", a0, a1, a2, a3, b0, b1, b2, b3, matrix);

    public static void PackPortably(Quad terms, int[] words, int at)
    {
        words[at] = (int)Interop.FloatAsInt(Round(terms.X));
        words[at + 1] = (int)Interop.FloatAsInt(Round(terms.Y));
        words[at + 2] = (int)Interop.FloatAsInt(Round(terms.Z));
        words[at + 3] = (int)Interop.FloatAsInt(Round(terms.W));
    }

    public static float Add(float sum, int a, int b) => sum + Interop.IntAsFloat((uint)a) * Interop.IntAsFloat((uint)b);

    /// <summary>
    /// The word that an instruction gets for a number. The instruction ignores the last 13 bits, so half of their range is added first. If a NaN
    /// overflows in this addition of integers, it is not changed. (The NaN that GPUs make does overflow. cvt.rna keeps every NaN, but takes more instructions, one of them conditional.)
    /// </summary>
    public static int Word(float x)
    {
        var bits = (int)Interop.FloatAsInt(x);
        return Math.Max(bits + 0x1000, bits);
    }
}

/// <summary>bfloat16: 8 bits of exponent and 7 of mantissa, two per word, the first in the lower half; ties are rounded to even.</summary>
readonly struct Bf16 : IFormat
{
    public static int Words => 2;

    public static float Round(float x)
    {
        var bits = Interop.FloatAsInt(x);
        return float.IsNaN(x) ? x : Interop.IntAsFloat((bits + 0x7fffu + ((bits >> 16) & 1u)) & ~0xffffu);
    }

    public static void Pack(Quad terms, int[] words, int at)
    {
        words[at] = Word(terms.X, terms.Y);
        words[at + 1] = Word(terms.Z, terms.W);
    }

    public static void Multiply(int a0, int a1, int a2, int a3, int b0, int b1, float[] sums, int at)
    {
        Ref<float> c0 = sums[at], c1 = sums[at + 1], c2 = sums[at + 2], c3 = sums[at + 3];
        Input<int> i0 = a0, i1 = a1, i2 = a2, i3 = a3, j0 = b0, j1 = b1;
        CudaAsm.EmitRef("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};", ref c0, ref c1, ref c2, ref c3, ref i0, ref i1, ref i2, ref i3, ref j0, ref j1);
        (sums[at], sums[at + 1], sums[at + 2], sums[at + 3]) = (c0.Value, c1.Value, c2.Value, c3.Value);
    }

    public static void MultiplyByGroup(int a0, int a1, int a2, int a3, int b0, int b1, int b2, int b3, long matrix) =>
        CudaAsm.Emit("sums.add.bf16 %0, %1, %2, %3, %4, %5, %6, %7, %8;", a0, a1, a2, a3, b0, b1, b2, b3, matrix);

    public static void PackPortably(Quad terms, int[] words, int at)
    {
        words[at] = PortableWord(terms.X, terms.Y);
        words[at + 1] = PortableWord(terms.Z, terms.W);
    }

    public static float Add(float sum, int a, int b) => sum + Lower(a) * Lower(b) + Upper(a) * Upper(b);

    static int PortableWord(float lower, float upper) => (int)(Interop.FloatAsInt(Round(lower)) >> 16 | Interop.FloatAsInt(Round(upper)) & ~0xffffu);

    static float Lower(int word) => Interop.IntAsFloat((uint)word << 16);

    static float Upper(int word) => Interop.IntAsFloat((uint)word & ~0xffffu);

    static int Word(float lower, float upper)
    {
        CudaAsm.Emit("cvt.rn.bf16x2.f32 %0, %1, %2;", out int word, upper, lower);
        return word;
    }
}
