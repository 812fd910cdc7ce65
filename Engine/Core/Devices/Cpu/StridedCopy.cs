using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// A copy between two strided arrays of one shape. It walks the axes in the order of the target's memory. Adjacent axes that one
/// stride can walk in both arrays are merged, so that the innermost run is as long as possible.
/// </summary>
sealed unsafe class StridedCopy
{
    readonly int[] extents, xStrides, yStrides;

    public StridedCopy(ReadOnlySpan<int> extents, ReadOnlySpan<int> xStrides, ReadOnlySpan<int> yStrides)
    {
        var axes = new List<(int Extent, int X, int Y)>();
        for (var axis = 0; axis < extents.Length; axis++)
            if (extents[axis] != 1) axes.Add((extents[axis], xStrides[axis], yStrides[axis]));
        axes = [.. axes.OrderByDescending(axis => Math.Abs(axis.Y))];
        for (var axis = axes.Count - 2; axis >= 0; axis--)
        {
            var (outer, inner) = (axes[axis], axes[axis + 1]);
            if (outer.X != inner.X * inner.Extent || outer.Y != inner.Y * inner.Extent) continue;
            axes[axis] = inner with { Extent = outer.Extent * inner.Extent };
            axes.RemoveAt(axis + 1);
        }

        if (axes.Count == 0) axes.Add((1, 1, 1));
        this.extents = [.. axes.Select(axis => axis.Extent)];
        this.xStrides = [.. axes.Select(axis => axis.X)];
        this.yStrides = [.. axes.Select(axis => axis.Y)];
    }

    /// <summary>The number of merged axes.</summary>
    public int Rank => extents.Length;

    /// <summary>Extent and source stride of a merged axis.</summary>
    public (int Extent, int Stride) this[int axis] => (extents[axis], xStrides[axis]);

    /// <summary>Copies everything, on all cores.</summary>
    public void All(float* x, float* y)
    {
        var length = 1;
        foreach (var extent in extents) length *= extent;
        var partner = Array.FindIndex(xStrides, 0, Rank - 1, stride => stride == 1);
        if (partner >= 0 && yStrides[^1] == 1 && xStrides[^1] is not (0 or 1)) Transposed(x, y, partner, length);
        else Sweep.All(length, (start, count) => Range(x, y, start, count));
    }

    /// <summary>Copies the elements [start, start + count) in the order of the merged axes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Range(float* x, float* y, int start, int count)
    {
        Span<int> index = stackalloc int[Rank];
        for (int axis = Rank - 1, rest = start; axis >= 0; rest /= extents[axis--])
        {
            index[axis] = rest % extents[axis];
            x += (nint)index[axis] * xStrides[axis];
            y += (nint)index[axis] * yStrides[axis];
        }

        while (count > 0)
        {
            var run = Math.Min(count, extents[^1] - index[^1]);
            Run(x, xStrides[^1], y, yStrides[^1], run);
            count -= run;
            x -= (nint)index[^1] * xStrides[^1];
            y -= (nint)index[^1] * yStrides[^1];
            index[^1] = 0;
            for (var axis = Rank - 2; axis >= 0; axis--)
            {
                x += xStrides[axis];
                y += yStrides[axis];
                if (++index[axis] < extents[axis]) break;
                x -= (nint)extents[axis] * xStrides[axis];
                y -= (nint)extents[axis] * yStrides[axis];
                index[axis] = 0;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void Run(float* x, nint xStride, float* y, nint yStride, int count)
    {
        if (yStride == 1 && xStride == 0)
        {
            new Span<float>(y, count).Fill(*x);
            return;
        }

        if (yStride == 1 && xStride == 1)
            for (; count >= Vector<float>.Count; count -= Vector<float>.Count, x += Vector<float>.Count, y += Vector<float>.Count)
                Vector.Store(Vector.Load(x), y);
        for (; count > 0; count--, x += xStride, y += yStride) *y = *x;
    }

    // The innermost axis is contiguous in y, the partner axis in x. Blocks of both axes use every cache line completely before
    // it leaves the cache.
    void Transposed(float* x, float* y, int partner, int length)
    {
        int across = extents[^1], along = extents[partner];
        nint xStep = xStrides[^1], yStep = yStrides[partner];
        var outer = new StridedCopy(this, partner);
        var stripes = (along + BlockTranspose.Size - 1) / BlockTranspose.Size;
        var planes = length / (across * along);
        ThreadTeam.Run(planes * stripes, job =>
        {
            var (from, to) = outer.Offsets(job / stripes);
            nint first = job % stripes * BlockTranspose.Size;
            for (nint i = 0; i < across; i += BlockTranspose.Size)
                BlockTranspose.Run(x + from + first + i * xStep, xStep, y + to + first * yStep + i, yStep, Math.Min(BlockTranspose.Size, across - i), Math.Min(BlockTranspose.Size, along - first));
        });
    }

    // The axes around a transposed plane.
    StridedCopy(StridedCopy all, int partner)
    {
        static int[] Without(int[] values, int axis) => [.. values[..axis], .. values[(axis + 1)..^1]];
        (extents, xStrides, yStrides) = (Without(all.extents, partner), Without(all.xStrides, partner), Without(all.yStrides, partner));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    (nint X, nint Y) Offsets(int position)
    {
        nint x = 0, y = 0;
        for (var axis = Rank - 1; axis >= 0; position /= extents[axis--])
        {
            var index = position % extents[axis];
            x += (nint)index * xStrides[axis];
            y += (nint)index * yStrides[axis];
        }

        return (x, y);
    }
}
