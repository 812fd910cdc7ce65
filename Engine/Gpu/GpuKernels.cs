using System.Numerics;
using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>The kernels of GPUs, one file per family as for the CPU. The file of a family has the launches and the kernels.</summary>
sealed partial class GpuKernels(GpuDevice device) : Kernels
{
    void Each<TBody, TValue>(in TBody body, int n) where TBody : struct, IPointwise<TValue> where TValue : unmanaged =>
        device.Launch(new Pointwise<TBody, TValue>(body, n), Groups(n, Pointwise<TBody, TValue>.PerGroup));

    void Each<TBody>(in TBody body, int n) where TBody : struct, IPointwise<float> => Each<TBody, float>(body, n);

    void EachOfChannels<TBody, TChannel, TValue>(in TBody body, Operand shape) where TBody : struct, IChannelwise<TChannel, TValue> where TChannel : unmanaged where TValue : unmanaged
    {
        var rows = new ChannelRows(shape.Shape.Rows, shape.Shape.Channels);
        device.Launch(new Channelwise<TBody, TChannel, TValue>(body, rows), rows.Elements == 0 ? 0 : Groups(rows.Stride, IKernel.DefaultThreads));
    }

    readonly Lock gate = new();
    Operand? arrivals;

    /// <summary>Folds [outer, n, inner] along its middle axis, in one launch.</summary>
    void Fold<TFold, T>(in TFold fold, int outer, int n, int inner) where TFold : struct, IFold<T> where T : unmanaged
    {
        var shape = new FoldShape(outer, n, inner);
        using var partials = Partials<T>(shape);
        device.Launch(new FoldColumns<TFold, T>(fold, Totals<T>(partials, shape), shape), shape.ColumnBlocks, shape.Chunks);
    }

    /// <summary>Computes each element of [rows, channels] and folds over the rows, in one launch.</summary>
    void FoldChannels<TBody, TChannel, TValue, T>(in TBody body, Operand matrix) where TBody : struct, IChannelFold<TChannel, TValue, T> where TChannel : unmanaged where TValue : unmanaged where T : unmanaged
    {
        var shape = new FoldShape(1, matrix.Shape.Rows, matrix.Shape.Channels);
        using var partials = Partials<T>(shape);
        device.Launch(new FoldChannels<TBody, TChannel, TValue, T>(body, Totals<T>(partials, shape), shape), shape.ColumnBlocks, shape.Chunks);
    }

    Operand Partials<T>(FoldShape shape) where T : unmanaged => Scratch<T>(shape.Chunks > 1 ? (shape.Chunks + FoldTree.Inner(shape.Chunks)) * shape.Columns : 1);

    ColumnTotals<T> Totals<T>(Operand partials, FoldShape shape) where T : unmanaged =>
        new(new(Elements<T>(partials), Arrivals(shape.ColumnBlocks * FoldTree.Inner(shape.Chunks)), shape.Chunks, shape.Columns));

    /// <summary>
    /// Counters by which the groups of the next launch find out which group comes last. They are 0, and the launch must leave them at 0. Launches of a
    /// recorded step may run at the same time, so each has its own counters; other launches share them.
    /// </summary>
    Arrivals Arrivals(int count)
    {
        // One more than needed, because a view of no counters must begin at a counter too.
        count++;
        if (device.Recorder?.Arrivals(count) is { } own) return new(own);
        lock (gate)
        {
            // Smaller arrays are never freed, because another thread may be about to launch with them.
            if (arrivals is null || arrivals.Length < count) arrivals = device.Counters(Math.Max(1024, (int)BitOperations.RoundUpToPowerOf2((uint)count)));
            return new(arrivals.Integers().SubView(0, count));
        }
    }

    /// <summary>Temporary memory. It may return to the pool as soon as the kernels that use it were launched.</summary>
    Operand Scratch<T>(int count) where T : unmanaged
    {
        using var memory = Tensor.Empty([count * Interop.SizeOf<T>() / sizeof(float)], device).Keep();
        return memory.Write();
    }

    static ArrayView<T> Elements<T>(Operand scratch) where T : unmanaged => scratch.View().Cast<T>();

    static int Groups(int n, int perGroup) => (int)(((long)n + perGroup - 1) / perGroup);
}
