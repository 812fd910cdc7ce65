using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

// Element i takes word i mod 4 of block i / 4 of its stream, independently of chunk and thread.
sealed unsafe partial class CpuKernels
{
    public override void Uniform(Operand y, RandomStream stream, float low, float high)
    {
        var result = y.Pointer();
        ForEachWords(stream, y.Length, (start, count, words) =>
            Sweep.Rows(new UniformKernel(PhiloxWords.ToUnits(words, count), low, high - low, Philox.Largest(low, high), result + start), 0, count, count, 0));
    }

    public override void Normal(Operand y, RandomStream stream, float mean, float deviation)
    {
        var result = y.Pointer();
        ForEachWords(stream, y.Length, (start, count, words) =>
        {
            for (var i = 0; i < count; i += 2)
            {
                var radius = MathF.Sqrt(-2f * MathF.Log(1f - Philox.ToUnit(words[i])));
                var (sine, cosine) = float.SinCosPi(2f * Philox.ToUnit(words[i + 1]));
                result[start + i] = mean + deviation * (radius * cosine);
                if (i + 1 < count) result[start + i + 1] = mean + deviation * (radius * sine);
            }
        });
    }

    public override void Dropout(Operand x, RandomStream stream, float p, Operand y)
    {
        float* input = x.Pointer(), result = y.Pointer();
        ForEachWords(stream, y.Length, (start, count, words) =>
            Sweep.Rows(new DropoutKernel(PhiloxWords.ToUnits(words, count), p, 1f / (1f - p), input + start, result + start), 0, count, count, 0));
    }

    delegate void WordsBody(int start, int count, uint* words);

    /// <summary>Calls the body with the random words of elements [start, start + count) for ranges that cover [0, length), on all cores.</summary>
    static void ForEachWords(RandomStream stream, int length, WordsBody body) =>
        Sweep.All(length, (start, count) => ForEachWords(stream, start, count, body));

    [SkipLocalsInit]
    static void ForEachWords(RandomStream stream, int start, int count, WordsBody body)
    {
        const int piece = 1024;
        var words = stackalloc uint[piece];
        for (var end = start + count; start < end; start += piece)
        {
            var n = Math.Min(piece, end - start);
            PhiloxWords.Fill(stream, (ulong)start / 4, words, (n + 3) / 4);
            body(start, n, words);
        }
    }
}

/// <summary><see cref="Philox"/> on many blocks at once.</summary>
static unsafe class PhiloxWords
{
    /// <summary>The words of consecutive blocks.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Fill(RandomStream stream, ulong block, uint* words, int blocks)
    {
        var i = 0;
        for (; i <= blocks - Vector512<ulong>.Count; i += Vector512<ulong>.Count) EightBlocks(stream, block + (ulong)i, (ulong*)(words + 4 * i));
        for (; i < blocks; i++)
        {
            var at = words + 4 * i;
            (at[0], at[1], at[2], at[3]) = Philox.At(stream.Seed, stream.Stream, block + (ulong)i);
        }
    }

    // Each lane has one block. The words x, y, z, w of the blocks are the lower halves of 64-bit lanes, which hold their products. The
    // upper halves are never read.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void EightBlocks(RandomStream stream, ulong block, ulong* words)
    {
        uint k0 = (uint)stream.Seed, k1 = (uint)(stream.Seed >> 32);
        var x = Vector512<ulong>.Indices + Vector512.Create(block);
        Vector512<ulong> y = x >>> 32, z = Vector512.Create(stream.Stream), w = z >>> 32;
        for (var round = 0; round < 10; round++)
        {
            Vector512<ulong> p0 = Multiply(x, 0xD2511F53u), p1 = Multiply(z, 0xCD9E8D57u);
            (x, y, z, w) = ((p1 >>> 32) ^ y ^ Vector512.Create((ulong)k0), p1, (p0 >>> 32) ^ w ^ Vector512.Create((ulong)k1), p0);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        var low = Vector512.Create((ulong)uint.MaxValue);
        var halves = stackalloc ulong[2 * Vector512<ulong>.Count];
        ((x & low) | (y << 32)).Store(halves);
        ((z & low) | (w << 32)).Store(halves + Vector512<ulong>.Count);
        for (var lane = 0; lane < Vector512<ulong>.Count; lane++)
        {
            words[2 * lane] = halves[lane];
            words[2 * lane + 1] = halves[Vector512<ulong>.Count + lane];
        }
    }

    // The products of the lower halves.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector512<ulong> Multiply(Vector512<ulong> x, uint factor)
    {
        if (Avx512F.IsSupported) return Avx512F.Multiply(x.AsUInt32(), Vector512.Create(factor));
        if (Avx2.IsSupported)
            return Vector512.Create(Avx2.Multiply(x.GetLower().AsUInt32(), Vector256.Create(factor)), Avx2.Multiply(x.GetUpper().AsUInt32(), Vector256.Create(factor)));
        return (x & Vector512.Create((ulong)uint.MaxValue)) * factor;
    }

    /// <summary><see cref="Philox.ToUnit"/> of each word, in place.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float* ToUnits(uint* words, int count)
    {
        var units = (float*)words;
        var i = 0;
        for (; i <= count - Vector<uint>.Count; i += Vector<uint>.Count)
            Vector.Store(Vector.ConvertToSingle(Vector.AsVectorInt32(Vector.Load(words + i) >>> 8)) * (1f / (1 << 24)), units + i);
        for (; i < count; i++) units[i] = Philox.ToUnit(words[i]);
        return units;
    }
}

readonly unsafe struct UniformKernel(float* units, float low, float range, float largest, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> =>
        lanes.Store(y + i, T.Min(low + range * lanes.Load(units + i), largest));
}

readonly unsafe struct DropoutKernel(float* units, float p, float scale, float* x, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> =>
        lanes.Store(y + i, T.AndNot(lanes.Load(x + i) * scale, lanes.Load(units + i) < p));
}
