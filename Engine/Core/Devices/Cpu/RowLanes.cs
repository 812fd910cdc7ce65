using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>Folds over a row. They are collected in a few lanes, which are folded by halves at the end.</summary>
static unsafe class RowLanes
{
    /// <summary>The number of lanes: four vectors of 256 bits, enough to hide the latency of an addition.</summary>
    public const int Count = 32;

    /// <summary>Sets all lanes to the identity of the fold.</summary>
    public static void Clear<TOp>(float* lanes) where TOp : struct, IReduction<TOp> => new Span<float>(lanes, Count).Fill(TOp.Identity);

    /// <summary>The number of elements that the lanes collect before they are added up in double: 16 per lane. So the error of the sum is at most 16 half units in the last place, even if all roundings go in one direction.</summary>
    const int Block = 16 * Count;

    /// <summary>The sum that a kernel collects in these lanes over a row of any length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static double Sum<TKernel>(TKernel kernel, int length, float* lanes) where TKernel : struct, IVectorKernel
    {
        if (length > Block) return LongSums(kernel, length, lanes, null).First;
        Clear<SumOp>(lanes);
        Sweep.Rows(kernel, 0, length, Count, Count);
        return Fold<SumOp>(lanes);
    }

    /// <summary>The two sums that a kernel collects in these lanes over a row of any length.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (double First, double Second) Sums<TKernel>(TKernel kernel, int length, float* first, float* second) where TKernel : struct, IVectorKernel
    {
        if (length > Block) return LongSums(kernel, length, first, second);
        Clear<SumOp>(first);
        Clear<SumOp>(second);
        Sweep.Rows(kernel, 0, length, Count, Count);
        return (Fold<SumOp>(first), Fold<SumOp>(second));
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static (double First, double Second) LongSums<TKernel>(TKernel kernel, int length, float* first, float* second) where TKernel : struct, IVectorKernel
    {
        var totals = stackalloc double[2 * Count];
        new Span<double>(totals, 2 * Count).Clear();
        for (nint start = 0; start < length; start += Block)
        {
            Clear<SumOp>(first);
            if (second != null) Clear<SumOp>(second);
            Sweep.Rows(kernel, start, Math.Min(Block, length - start), Count, Count);
            Add(first, totals);
            if (second != null) Add(second, totals + Count);
        }

        var (a, b) = (0.0, 0.0);
        for (var lane = 0; lane < Count; lane++) (a, b) = (a + totals[lane], b + totals[Count + lane]);
        return (a, b);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Add(float* lanes, double* totals)
    {
        for (var lane = 0; lane < Count; lane += Vector<float>.Count, lanes += Vector<float>.Count, totals += Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(lanes), out var low, out var high);
            Vector.Store(Vector.Load(totals) + low, totals);
            Vector.Store(Vector.Load(totals + Vector<double>.Count) + high, totals + Vector<double>.Count);
        }
    }

    /// <summary>The fold of all lanes.</summary>
    public static float Fold<TOp>(float* lanes) where TOp : struct, IReduction<TOp>
    {
        var half = Count / 2;
        for (; half >= Vector<float>.Count; half /= 2)
            for (var lane = 0; lane < half; lane += Vector<float>.Count)
                Vector.Store(TOp.Combine(Vector.Load(lanes + lane), Vector.Load(lanes + half + lane)), lanes + lane);
        for (; half > 0; half /= 2)
            for (var lane = 0; lane < half; lane++) lanes[lane] = TOp.Combine(lanes[lane], lanes[half + lane]);
        return lanes[0];
    }
}
