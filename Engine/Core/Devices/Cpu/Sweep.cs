using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>The lanes of a vector that a step works on: all lanes, or the first few at the end of a row.</summary>
unsafe interface ILanes<T> where T : struct, IVector<T>
{
    /// <summary>Reads the lanes; the others are 0.</summary>
    /// <param name="p">The address of the first lane; nothing after the last lane is read.</param>
    T Load(float* p);

    /// <summary>Writes the lanes; memory after the last lane does not change.</summary>
    /// <param name="p">The address of the first lane.</param>
    /// <param name="value">A whole vector, whose first lanes are written.</param>
    void Store(float* p, T value);
}

readonly unsafe struct AllLanes<T> : ILanes<T> where T : struct, IRegister<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Load(float* p) => T.Load(p);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* p, T value) => value.Store(p);
}

readonly unsafe struct FirstLanes<T>(int count) : ILanes<T> where T : struct, IRegister<T>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Load(float* p) => T.LoadFirst(p, count);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Store(float* p, T value) => value.StoreFirst(p, count);
}

/// <summary>
/// The inner loop body of a kernel: one vector of elements at a time. The step is written once and serves whole vectors and tails of every width,
/// so that the bits of an element do not depend on its place.
/// </summary>
interface IVectorKernel
{
    /// <summary>Works on one vector of elements.</summary>
    /// <param name="i">The first element, counted from the kernel's pointers.</param>
    /// <param name="t">The same element, counted from the start of its row.</param>
    /// <param name="lanes">All lanes of the vector, or the first few at the end of the row.</param>
    void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>;
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
    public static void Rows<TKernel>(TKernel kernel, nint start, nint length, nint width, nint stride) where TKernel : struct, IVectorKernel
    {
        if (Vector512.IsHardwareAccelerated) Rows<TKernel, Register512>(kernel, start, length, width, stride);
        else if (Vector256.IsHardwareAccelerated) Rows<TKernel, Register256>(kernel, start, length, width, stride);
        else Rows<TKernel, Register128>(kernel, start, length, width, stride);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static void Rows<TKernel, T>(TKernel kernel, nint start, nint length, nint width, nint stride) where TKernel : struct, IVectorKernel where T : struct, IRegister<T>
    {
        for (; length > 0; start += stride, length -= width)
        {
            nint count = Math.Min(width, length), t = 0;
            for (; t <= count - T.Count; t += T.Count) kernel.Step<T, AllLanes<T>>(start + t, t, default);
            if (t < count) kernel.Step<T, FirstLanes<T>>(start + t, t, new((int)(count - t)));
        }
    }
}
