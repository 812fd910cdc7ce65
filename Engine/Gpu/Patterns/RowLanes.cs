using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>A sum of any number of terms that keeps what each addition rounds away, and adds it to the next term (Kahan 1965): its error does not grow with their number.</summary>
readonly struct LongSum(float sum, float lost)
{
    public readonly float Value = sum;

    readonly float lost = lost;

    public static LongSum operator +(LongSum sum, float term)
    {
        var corrected = term - sum.lost;
        var next = sum.Value + corrected;
        return new LongSum(next, next - sum.Value - corrected);
    }
}

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

    /// <summary>The sum over the row of what its lanes have gathered; all of them get it.</summary>
    public float Fold(LongSum sum) => Fold<float, Addition>(sum.Value);

    /// <summary>Folds over the lanes of the row; all of them get the result.</summary>
    public T Fold<T, TCombine>(T value) where T : unmanaged where TCombine : struct, ICombine<T> => GroupFold.Across<T, TCombine>(value, 1, Lanes >> 1);
}
