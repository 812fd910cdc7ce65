using System.Numerics;

namespace QuadEngine.Devices.Cpu;

/// <summary>Folds over a row, gathered in a few lanes and folded in halves at the end.</summary>
static unsafe class RowLanes
{
    /// <summary>Lanes that gather: four vectors of 256 bits, enough to hide the latency of an addition.</summary>
    public const int Count = 32;

    /// <summary>All lanes start as the fold of nothing.</summary>
    public static void Clear<TOp>(float* lanes) where TOp : struct, IReduction<TOp> => new Span<float>(lanes, Count).Fill(TOp.Identity);

    /// <summary>Elements that the lanes gather before they are folded: a sum of floats this long has all but its last bits, and blocks are added up in double.</summary>
    const int Block = 128 * Count;

    /// <summary>The sum that a kernel gathers in these lanes over a row of any length.</summary>
    public static double Sum<TKernel>(TKernel kernel, int length, float* lanes) where TKernel : struct, IVectorKernel => Sums(kernel, length, lanes, lanes).First;

    /// <summary>The two sums that a kernel gathers in these lanes over a row of any length.</summary>
    public static (double First, double Second) Sums<TKernel>(TKernel kernel, int length, float* first, float* second) where TKernel : struct, IVectorKernel
    {
        var (a, b) = (0.0, 0.0);
        for (var start = 0; start < length;)
        {
            var count = Math.Min(Block, length - start);
            Clear<Sum>(first);
            Clear<Sum>(second);
            Sweep.Rows(kernel, start, count, Count, Count);
            a += Fold<Sum>(first);
            b += Fold<Sum>(second);
            start += count;
        }

        return (a, b);
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
