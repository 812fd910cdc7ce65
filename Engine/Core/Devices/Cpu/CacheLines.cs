using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;

namespace QuadEngine.Devices.Cpu;

static unsafe class CacheLines
{
    const int Floats = 16;

    /// <summary>Fetches memory into the L2 cache without waiting for it. The processor itself foresees reads along a row, but not from one row to the next if rows are far apart.</summary>
    /// <param name="start">The first float; memory that is not allocated does no harm.</param>
    /// <param name="count">The number of floats.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(float* start, int count)
    {
        if (!Sse.IsSupported) return;
        for (var i = 0; i < count; i += Floats) Sse.Prefetch1(start + i);
    }
}
