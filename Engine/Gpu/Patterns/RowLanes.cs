using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>A compensated sum (Kahan 1965): it keeps the rounding error of each addition and adds it to the next term, so its error does not grow with the number of terms.</summary>
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
/// Rows of a matrix [rows, channels]. Each row has a power of two of adjacent threads (lanes) of one group. Threads past the
/// last row have an empty row, so that they still reach every barrier.
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

    /// <summary>The first element of this thread's row.</summary>
    public int Start => Row < rows ? Row * Channels : 0;

    /// <summary>The position after the last element of this thread's row.</summary>
    public int End => Row < rows ? (Row + 1) * Channels : 0;

    /// <summary>The sum over the lanes of the row; all lanes get it.</summary>
    public float Fold(LongSum sum) => Fold<float, Addition>(sum.Value);

    /// <summary>Folds over the lanes of the row; all lanes get the result.</summary>
    public T Fold<T, TCombine>(T value) where T : unmanaged where TCombine : struct, ICombine<T> => GroupFold.Across<T, TCombine>(value, 1, Lanes >> 1);
}
