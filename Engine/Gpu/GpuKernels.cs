using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>The kernels of GPUs, one file a family, as those of the CPU. A family's file holds the launches and the kernels themselves.</summary>
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

    // Recorded launches keep the addresses of counters that others have outgrown: these stay too.
    readonly List<Operand> counters = [];

    /// <summary>Counters for the groups of one launch, at 0. Those of another launch may be the same: launches come one after the other.</summary>
    Arrivals Arrivals(int count)
    {
        const int Fewest = 1024;
        lock (counters)
        {
            if (counters.Count == 0 || counters[^1].Length < count) counters.Add(Tensor.Zeros([Math.Max(Fewest, 2 * count)], device).Keep().Write());
            return new(counters[^1].View().Cast<int>());
        }
    }

    /// <summary>Folds [outer, n, inner] along its middle axis, in one launch.</summary>
    void Fold<TFold, T>(in TFold fold, int outer, int n, int inner) where TFold : struct, IFold<T> where T : unmanaged
    {
        var shape = new FoldShape(outer, n, inner);
        var inside = FoldTree.Inner(shape.Chunks);
        using var memory = Scratch<T>(shape.Chunks > 1 ? (shape.Chunks + inside) * shape.Columns : 1);
        device.Launch(new FoldColumns<TFold, T>(fold, new(Elements<T>(memory), Arrivals(shape.ColumnBlocks * inside), shape.Chunks, shape.Columns), shape), shape.ColumnBlocks, shape.Chunks);
    }

    /// <summary>Memory for a moment; it may go back to the pool as soon as the kernels that use it were launched.</summary>
    Operand Scratch<T>(int count) where T : unmanaged
    {
        using var memory = Tensor.Empty([count * Interop.SizeOf<T>() / sizeof(float)], device).Keep();
        return memory.Write();
    }

    static ArrayView<T> Elements<T>(Operand scratch) where T : unmanaged => scratch.View().Cast<T>();

    static int Groups(int n, int perGroup) => (int)(((long)n + perGroup - 1) / perGroup);
}
