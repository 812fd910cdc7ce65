using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

/// <summary>The lanes of a vector that a step works on: all of them, or the first few where a row ends.</summary>
unsafe interface ILanes
{
    /// <summary>Reads the lanes; the others are 0.</summary>
    /// <param name="p">Where the first lane lies; nothing behind the lanes is read.</param>
    Vector<float> Load(float* p);

    /// <summary>Writes the lanes; memory behind the others stays as it is.</summary>
    /// <param name="p">Where the first lane goes.</param>
    /// <param name="value">A whole vector, of which the lanes are taken.</param>
    void Store(float* p, Vector<float> value);
}

readonly unsafe struct AllLanes : ILanes
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Load(float* p) => Vector.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* p, Vector<float> value) => Vector.Store(value, p);
}

readonly unsafe struct FirstLanes(int count) : ILanes
{
    readonly Vector<float> mask = Vector.AsVectorSingle(Vector.LessThan(Vector<int>.Indices, new Vector<int>(count)));

    static bool HasMasks => Vector<float>.Count == 8 && Avx512F.VL.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public Vector<float> Load(float* p)
    {
        if (HasMasks) return Avx512F.VL.MaskLoad(p, mask.AsVector256(), Vector256<float>.Zero).AsVector();
        var value = Vector<float>.Zero;
        for (var lane = 0; lane < count; lane++) ((float*)&value)[lane] = p[lane];
        return value;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* p, Vector<float> value)
    {
        if (HasMasks) Avx512F.VL.MaskStore(p, mask.AsVector256(), value.AsVector256());
        else
            for (var lane = 0; lane < count; lane++) p[lane] = ((float*)&value)[lane];
    }
}

/// <summary>
/// The inner work of a kernel, one vector of elements at a time: the step is written once and serves whole vectors and tails,
/// so that the bits of an element do not depend on its place.
/// </summary>
interface IVectorKernel
{
    /// <summary>Works on one vector of elements.</summary>
    /// <param name="i">The first of them, counted from the kernel's pointers.</param>
    /// <param name="t">The same one, counted from the start of its row.</param>
    /// <param name="lanes">All lanes of the vector, or the first few where the row ends.</param>
    void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes;
}

/// <summary>The loop that all memory-bound kernels share.</summary>
static class Sweep
{
    /// <summary>Elements that a thread takes at a time: 128 KB a stream, far less than the second-level cache, far more than the cost of a turn.</summary>
    public const int Chunk = 1 << 15;

    /// <summary>Sweeps elements [0, length) on all cores. For kernels whose elements do not depend on one another.</summary>
    public static void All<TKernel>(TKernel kernel, int length) where TKernel : struct, IVectorKernel =>
        All(length, (start, count) => Rows(kernel, start, count, count, 0));

    /// <summary>Calls body(start, count) for consecutive ranges of [0, length) on all cores.</summary>
    public static void All(int length, Action<int, int> body) =>
        ThreadTeam.Run(Chunks(length), chunk => body(chunk * Chunk, Math.Min(Chunk, length - chunk * Chunk)));

    /// <summary>Ranges of at most <see cref="Chunk"/> elements that cover a length.</summary>
    public static int Chunks(int length) => (int)(((long)length + Chunk - 1) / Chunk);

    /// <summary>Sweeps <paramref name="length"/> elements in rows of <paramref name="width"/>; rows begin <paramref name="stride"/> apart, the last may be short.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Rows<TKernel>(TKernel kernel, nint start, nint length, nint width, nint stride) where TKernel : struct, IVectorKernel
    {
        for (; length > 0; start += stride, length -= width)
        {
            nint count = Math.Min(width, length), t = 0;
            for (; t <= count - Vector<float>.Count; t += Vector<float>.Count) kernel.Step(start + t, t, default(AllLanes));
            if (t < count) kernel.Step(start + t, t, new FirstLanes((int)(count - t)));
        }
    }
}
