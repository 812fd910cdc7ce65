using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Element i takes word i mod 4 of block i / 4 of its stream, whatever the chunk or the thread.
sealed unsafe partial class CpuBackend
{
    public override void Uniform(Tensor y, RandomStream stream, float low, float high)
    {
        var result = y.Pointer();
        ForEachWords(stream, y.Length, (start, count, words) =>
            Sweep.Rows(new UniformKernel(words, new(low), new(high - low), result + start), 0, count, count, 0));
    }

    public override void Normal(Tensor y, RandomStream stream, float mean, float deviation)
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

    public override void Dropout(Tensor x, RandomStream stream, float p, Tensor y)
    {
        float* input = x.Pointer(), result = y.Pointer();
        ForEachWords(stream, y.Length, (start, count, words) =>
            Sweep.Rows(new DropoutKernel(words, new(p), new(1f / (1f - p)), input + start, result + start), 0, count, count, 0));
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
    public static void Fill(RandomStream stream, ulong block, uint* words, int blocks)
    {
        var i = 0;
        for (; i <= blocks - Vector<ulong>.Count; i += Vector<ulong>.Count) Vectorised(stream, block + (ulong)i, words + 4 * i);
        for (; i < blocks; i++)
        {
            var at = words + 4 * i;
            (at[0], at[1], at[2], at[3]) = Philox.At(stream.Seed, stream.Stream, block + (ulong)i);
        }
    }

    // A block a lane; the words x, y, z, w of a block are the lower halves of four lanes of 64 bits, which hold their products.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Vectorised(RandomStream stream, ulong block, uint* words)
    {
        var low = new Vector<ulong>(uint.MaxValue);
        uint k0 = (uint)stream.Seed, k1 = (uint)(stream.Seed >> 32);
        var index = Vector<ulong>.Indices + new Vector<ulong>(block);
        Vector<ulong> x = index & low, y = index >>> 32, z = new((uint)stream.Stream), w = new(stream.Stream >> 32);
        for (var round = 0; round < 10; round++)
        {
            Vector<ulong> p0 = x * 0xD2511F53ul, p1 = z * 0xCD9E8D57ul;
            (x, y, z, w) = ((p1 >>> 32) ^ y ^ new Vector<ulong>(k0), p1 & low, (p0 >>> 32) ^ w ^ new Vector<ulong>(k1), p0 & low);
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }

        Vector<ulong> front = x | (y << 32), back = z | (w << 32);
        for (var lane = 0; lane < Vector<ulong>.Count; lane++)
        {
            ((ulong*)words)[2 * lane] = front[lane];
            ((ulong*)words)[2 * lane + 1] = back[lane];
        }
    }

    /// <summary><see cref="Philox.ToUnit"/> of each lane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> ToUnit(Vector<float> words) =>
        Vector.ConvertToSingle(Vector.AsVectorInt32(Vector.AsVectorUInt32(words) >>> 8)) * (1f / (1 << 24));
}

readonly unsafe struct UniformKernel(uint* words, Vector<float> low, Vector<float> range, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes =>
        lanes.Store(y + i, low + range * PhiloxWords.ToUnit(lanes.Load((float*)words + i)));
}

readonly unsafe struct DropoutKernel(uint* words, Vector<float> p, Vector<float> scale, float* x, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes
    {
        var kept = Vector.GreaterThanOrEqual(PhiloxWords.ToUnit(lanes.Load((float*)words + i)), p);
        lanes.Store(y + i, Vector.ConditionalSelect(kept, lanes.Load(x + i) * scale, Vector<float>.Zero));
    }
}
