using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floor: x is read once. Every sum is a tree: lanes of a tile, tiles of a block, blocks of the array; its shape depends on
// extents alone, and its error grows with the logarithm of the number of summands.
sealed unsafe partial class CpuKernels
{
    public override void Reduce<TOp>(Operand x, int outer, int n, int inner, Operand y)
    {
        if (n == 0) Fill(y, TOp.Identity);
        if (n == 0 || y.Length == 0) return;
        if (inner == 1 && n <= ShortRow)
        {
            ReduceShortRows<TOp>(x.Pointer(), outer, n, y.Pointer());
            return;
        }

        const int rowsAtLeast = 64, columnsAtMost = 1024;
        var tile = new ChannelTile(n, inner);
        var columns = tile.Copies == 1 ? Math.Min(inner, columnsAtMost) : inner;
        int columnBlocks = (inner + columns - 1) / columns, rows = Math.Min(n, Math.Max(rowsAtLeast, Sweep.Chunk / columns)), rowBlocks = (n + rows - 1) / rows;

        float* input = x.Pointer(), result = y.Pointer();
        using var scratch = new Scratch<float>(rowBlocks == 1 ? 0 : outer * rowBlocks * inner);
        var partials = rowBlocks == 1 ? result : scratch.Pointer;
        ForEachJob(outer * rowBlocks * columnBlocks, rows * columns, job =>
        {
            int block = job / columnBlocks, column = job % columnBlocks * columns, row = block % rowBlocks * rows;
            int width = Math.Min(columns, inner - column), height = Math.Min(rows, n - row);
            var source = input + ((nint)(block / rowBlocks) * n + row) * inner + column;
            var target = partials + (nint)block * inner + column;
            if (tile.Copies == 1) ReduceRows<TOp>(source, height * width, width, inner, target);
            else ReduceTiles<TOp>(source, height, tile, target);
        });
        if (rowBlocks == 1) return;

        ForEachJob(outer * columnBlocks, rowBlocks * columns, job =>
        {
            int plane = job / columnBlocks, column = job % columnBlocks * columns, width = Math.Min(columns, inner - column);
            var blocks = partials + (nint)plane * rowBlocks * inner + column;
            FoldRows<TOp>(blocks, rowBlocks, width, inner);
            new ReadOnlySpan<float>(blocks, width).CopyTo(new(result + (nint)plane * inner + column, width));
        });
    }

    public override void ArgMax(Operand x, int outer, int n, int inner, Operand y)
    {
        var input = x.Pointer();
        var result = y.Integers();
        ForEachJob(outer, n * inner, plane =>
        {
            var at = input + (nint)plane * n * inner;
            var best = new Span<int>(result + (nint)plane * inner, inner);
            best.Clear();
            for (var i = 1; i < n; i++)
                for (var column = 0; column < inner; column++)
                {
                    float value = at[i * inner + column], largest = at[best[column] * inner + column];
                    if (value > largest || (float.IsNaN(value) && !float.IsNaN(largest))) best[column] = i;
                }
        });
    }

    public override void Norm(ReadOnlySpan<Operand> tensors, Operand y)
    {
        var values = Pointers(tensors);
        var parts = Parts(tensors);
        using var scratch = new Scratch<double>(parts.Length);
        var partials = scratch.Pointer;
        ThreadTeam.Run(parts.Length, part => partials[part] = SumOfSquares(values[parts[part].Tensor] + parts[part].Start, parts[part].Count));
        var sum = 0.0;
        for (var part = 0; part < parts.Length; part++) sum += partials[part];
        *y.Pointer() = (float)Math.Sqrt(sum);
    }

    // The square of a float is exact in double.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static double SumOfSquares(float* x, int count)
    {
        Vector<double> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= count - 2 * Vector<float>.Count; i += 2 * Vector<float>.Count)
        {
            Vector.Widen(Vector.Load(x + i), out var first, out var second);
            Vector.Widen(Vector.Load(x + i + Vector<float>.Count), out var third, out var fourth);
            a += first * first;
            b += second * second;
            c += third * third;
            d += fourth * fourth;
        }

        var sum = Vector.Sum(a + b + (c + d));
        for (; i < count; i++) sum += (double)x[i] * x[i];
        return sum;
    }

    // For a shorter row, a scalar fold is faster than filling the lanes and folding them.
    const int ShortRow = 128;

    static void ReduceShortRows<TOp>(float* x, int rows, int n, float* y) where TOp : struct, IReduction<TOp> => ForEachJob(rows, n, row => y[row] = FoldShortRow<TOp>(x + (nint)row * n, n));

    // Four independent chains, so that an element does not wait for the one before it.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float FoldShortRow<TOp>(float* x, int n) where TOp : struct, IReduction<TOp>
    {
        float a = TOp.Identity, b = a, c = a, d = a;
        var i = 0;
        for (; i <= n - 4; i += 4)
        {
            a = TOp.Combine(a, x[i]);
            b = TOp.Combine(b, x[i + 1]);
            c = TOp.Combine(c, x[i + 2]);
            d = TOp.Combine(d, x[i + 3]);
        }

        for (; i < n; i++) a = TOp.Combine(a, x[i]);
        return TOp.Combine(TOp.Combine(a, b), TOp.Combine(c, d));
    }

    /// <summary>Calls the body for every job, on all cores. Several jobs of few elements are taken at a time.</summary>
    static void ForEachJob(int jobs, int elements, Action<int> body)
    {
        var perTurn = Math.Max(1, Sweep.Chunk / Math.Max(1, elements));
        ThreadTeam.Run((jobs + perTurn - 1) / perTurn, turn =>
        {
            for (int job = turn * perTurn, end = Math.Min(jobs, job + perTurn); job < end; job++) body(job);
        });
    }

    // Tile rows are folded in groups, and then the groups are folded one by one. This gives two short chains instead of one long chain.
    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void ReduceRows<TOp>(float* x, int length, int width, int stride, float* y) where TOp : struct, IReduction<TOp>
    {
        const int group = 16;
        var folded = stackalloc float[width];
        new Span<float>(y, width).Fill(TOp.Identity);
        for (; length > 0; length -= group * width, x += (nint)group * stride)
        {
            new Span<float>(folded, width).Fill(TOp.Identity);
            Sweep.Rows(new FoldKernel<TOp>(x, folded), 0, Math.Min(length, group * width), width, stride);
            Sweep.Rows(new FoldKernel<TOp>(folded, y), 0, width, width, 0);
        }
    }

    [SkipLocalsInit]
    static void ReduceTiles<TOp>(float* x, int rows, ChannelTile tile, float* y) where TOp : struct, IReduction<TOp>
    {
        var folded = stackalloc float[tile.Width];
        ReduceRows<TOp>(x, rows * tile.Channels, tile.Width, tile.Width, folded);
        FoldRows<TOp>(folded, tile.Copies, tile.Channels, tile.Channels);
        new ReadOnlySpan<float>(folded, tile.Channels).CopyTo(new(y, tile.Channels));
    }

    /// <summary>Folds the second half of the rows into the first, until one row is left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static void FoldRows<TOp>(float* rows, int count, int width, int stride) where TOp : struct, IReduction<TOp>
    {
        for (; count > 1; count -= count / 2)
        {
            float* kept = rows, folded = rows + (nint)(count - count / 2) * stride;
            if (stride == width) Sweep.Rows(new FoldKernel<TOp>(folded, kept), 0, (nint)(count / 2) * width, (nint)(count / 2) * width, 0);
            else
                for (var row = 0; row < count / 2; row++, kept += stride, folded += stride)
                    Sweep.Rows(new FoldKernel<TOp>(folded, kept), 0, width, width, 0);
        }
    }
}

/// <summary>y[t] = the fold of y[t] and x[i].</summary>
readonly unsafe struct FoldKernel<TOp>(float* x, float* y) : IVectorKernel where TOp : struct, IReduction<TOp>
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> =>
        lanes.Store(y + t, TOp.Combine(lanes.Load(y + t), lanes.Load(x + i)));
}
