using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

/// <summary>The lanes of a vector that a step works on: all lanes, or the first few at the end of a row.</summary>
unsafe interface ILanes
{
    /// <summary>Reads the lanes; the others are 0.</summary>
    /// <param name="p">The address of the first lane; nothing after the last lane is read.</param>
    Vector<float> Load(float* p);

    /// <summary>Writes the lanes; memory after the last lane does not change.</summary>
    /// <param name="p">The address of the first lane.</param>
    /// <param name="value">A whole vector, whose first lanes are written.</param>
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
/// The inner loop body of a kernel: one vector of elements at a time. The step is written once and serves whole vectors and tails,
/// so that the bits of an element do not depend on its place.
/// </summary>
interface IVectorKernel
{
    /// <summary>Works on one vector of elements.</summary>
    /// <param name="i">The first element, counted from the kernel's pointers.</param>
    /// <param name="t">The same element, counted from the start of its row.</param>
    /// <param name="lanes">All lanes of the vector, or the first few at the end of the row.</param>
    void Step<TLanes>(nint i, nint t, TLanes lanes) where TLanes : struct, ILanes;
}

/// <summary>The loop that all memory-bound kernels share.</summary>
static class Sweep
{
    /// <summary>The number of elements that a thread takes at a time: 128 KB per tensor. This is far less than the L2 cache, and enough work to hide the cost of taking a chunk.</summary>
    public const int Chunk = 1 << 15;

    /// <summary>Sweeps elements [0, length) on all cores, for kernels whose elements do not depend on one another.</summary>
    public static void All<TKernel>(TKernel kernel, int length) where TKernel : struct, IVectorKernel =>
        All(length, (start, count) => Rows(kernel, start, count, count, 0));

    /// <summary>Calls body(start, count) for consecutive ranges of [0, length) on all cores.</summary>
    public static void All(int length, Action<int, int> body) =>
        ThreadTeam.Run(Chunks(length), chunk => body(chunk * Chunk, Math.Min(Chunk, length - chunk * Chunk)));

    /// <summary>The number of ranges of at most <see cref="Chunk"/> elements that cover a length.</summary>
    public static int Chunks(int length) => (int)(((long)length + Chunk - 1) / Chunk);

    /// <summary>Sweeps <paramref name="length"/> elements in rows of <paramref name="width"/>; rows begin <paramref name="stride"/> elements apart, and the last row may be short.</summary>
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
