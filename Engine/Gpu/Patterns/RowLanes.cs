using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Rows of a matrix [rows, channels], each worked on by a power of two of neighbouring threads (lanes) of one group. Threads past the
/// last row have an empty row, so that they still come to every barrier.
/// </summary>
readonly struct RowLanes
{
    readonly int rows;

    public RowLanes(int rows, int channels)
    {
        (this.rows, Channels) = (rows, channels);
        Lanes = 1;
        while (Lanes < channels && Lanes < IKernel.DefaultThreads) Lanes *= 2;
    }

    public readonly int Channels, Lanes;

    public int Groups => (rows + IKernel.DefaultThreads / Lanes - 1) / (IKernel.DefaultThreads / Lanes);

    public int Lane => Group.IdxX & (Lanes - 1);

    public int Row => Grid.IdxX * (IKernel.DefaultThreads / Lanes) + Group.IdxX / Lanes;

    /// <summary>First element of this thread's row.</summary>
    public int Start => Row < rows ? Row * Channels : 0;

    /// <summary>The element after its last one.</summary>
    public int End => Row < rows ? (Row + 1) * Channels : 0;

    /// <summary>Folds over the lanes of the row; all of them get the result.</summary>
    public T Fold<T, TCombine>(T value) where T : unmanaged where TCombine : struct, ICombine<T> => GroupFold.Across<T, TCombine>(value, 1, Lanes >> 1);
}
