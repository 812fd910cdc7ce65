using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>An associative and commutative way to fold two values into one.</summary>
interface ICombine<T> where T : unmanaged
{
    static abstract T Identity { get; }

    static abstract T Combine(T a, T b);
}

/// <summary>
/// A fold along the middle axis of [outer, n, inner]. A column is one of the outer * inner results,
/// a row is a position along n, and an index is the index of the element.
/// </summary>
interface IFold<T> : ICombine<T> where T : unmanaged
{
    T Of(int row, int index, int column);

    void Store(int column, T total);
}

/// <summary>Sums of one and of two numbers.</summary>
readonly struct Addition : ICombine<float>, ICombine<Pair>
{
    static float ICombine<float>.Identity => 0f;

    static Pair ICombine<Pair>.Identity => new(0f, 0f);

    static float ICombine<float>.Combine(float a, float b) => a + b;

    static Pair ICombine<Pair>.Combine(Pair a, Pair b) => new(a.A + b.A, a.B + b.B);
}

/// <summary>Folds across the threads of a group, in an order that is always the same.</summary>
static class GroupFold
{
    /// <summary>
    /// Exchanges values between threads whose numbers differ in the bits from <paramref name="lowest"/> to <paramref name="highest"/>
    /// (powers of two). All of them get the fold. Every thread of the group must call this.
    /// </summary>
    public static T Across<T, TCombine>(T value, int lowest, int highest) where T : unmanaged where TCombine : struct, ICombine<T> =>
        Across<T, TCombine>(value, lowest, highest, SharedMemory.Allocate<T>(2 * IKernel.DefaultThreads));

    /// <summary>The same with given memory, which has two places per thread. Its halves alternate, so that one barrier per step is enough.</summary>
    public static T Across<T, TCombine>(T value, int lowest, int highest, ArrayView<T> shared) where T : unmanaged where TCombine : struct, ICombine<T>
    {
        int thread = Group.IdxX, half = 0;
        for (var bit = highest; bit >= lowest; bit >>= 1)
        {
            shared[half + thread] = value;
            Group.Barrier();
            value = TCombine.Combine(value, shared[half + (thread ^ bit)]);
            half = Group.DimX - half;
        }

        // The next fold may use the same memory.
        Group.Barrier();
        return value;
    }
}

/// <summary>
/// Folds a tensor [outer, n, inner] along its middle axis. A group is a block of threads that extends along the rows to be folded and
/// along the columns, so that adjacent threads read adjacent elements whether inner is 1 or large. The grid is [column blocks, chunks of rows]. It reads each
/// element once.
/// </summary>
readonly struct FoldColumns<TFold, T>(TFold fold, ColumnTotals<T> totals, FoldShape shape) : IKernel
    where TFold : struct, IFold<T>
    where T : unmanaged
{
    public void Run()
    {
        int row = shape.Row, column = shape.Column;
        var total = TFold.Identity;
        if (column < shape.Columns)
        {
            var outer = shape.Inner.Divide(column);
            var start = outer * shape.N * shape.Inner.Divisor + (column - outer * shape.Inner.Divisor);
            int i = Grid.IdxY * shape.RowsPerChunk + row, end = Math.Min(shape.N, (Grid.IdxY + 1) * shape.RowsPerChunk);
            if (i < end)
            {
                // The first row is handled before the loop, because ILGPU computes the values of the column where they are first used, which must not be in the loop.
                // Then four rows at a time, so that their reads overlap.
                int inner = shape.Inner.Divisor, step = shape.RowLanes;
                total = TFold.Combine(total, fold.Of(i, start + i * inner, column));
                for (i += step; i + 3 * step < end; i += 4 * step)
                {
                    T v0 = fold.Of(i, start + i * inner, column), v1 = fold.Of(i + step, start + (i + step) * inner, column);
                    T v2 = fold.Of(i + 2 * step, start + (i + 2 * step) * inner, column), v3 = fold.Of(i + 3 * step, start + (i + 3 * step) * inner, column);
                    total = TFold.Combine(TFold.Combine(TFold.Combine(TFold.Combine(total, v0), v1), v2), v3);
                }

                for (; i < end; i += step) total = TFold.Combine(total, fold.Of(i, start + i * inner, column));
            }
        }

        if (totals.Complete<TFold>(shape, ref total)) fold.Store(column, total);
    }
}

/// <summary>Combines the partial folds of the threads into the totals of the columns; several chunks of rows are combined by a <see cref="FoldTree{T}"/>.</summary>
readonly struct ColumnTotals<T>(FoldTree<T> tree) where T : unmanaged
{
    /// <summary>Every thread calls this with its partial fold. One thread for each column gets the total of the column, and true.</summary>
    public bool Complete<TCombine>(FoldShape shape, ref T total) where TCombine : struct, ICombine<T>
    {
        var lanes = new FoldLanes(shape.Row, shape.RowLanes, 1 << shape.RowShift);
        ArrayView<T> shared = SharedMemory.Allocate<T>(2 * IKernel.DefaultThreads);
        total = lanes.Across<T, TCombine>(total, shared);
        return tree.Fold<TCombine>(ref total, Grid.IdxX, Grid.IdxY, shape.Column, lanes, shared, SharedMemory.Allocate<int>(1)) && shape.Row == 0 && shape.Column < shape.Columns;
    }
}

/// <summary>The distribution of a fold over threads and groups. It is a function of the extents alone, so results do not depend on the size of the device.</summary>
readonly struct FoldShape
{
    const int TargetGroups = 512;
    const int MinRowsPerThread = 8;

    public FoldShape(int outer, int n, int inner)
    {
        (N, Columns, Inner) = (n, outer * inner, new FastDivisor(inner));
        if (inner == 1)
        {
            // Rows are adjacent in memory.
            RowLanes = PowerOfTwo(n, IKernel.DefaultThreads);
            ColumnLanes = IKernel.DefaultThreads / RowLanes;
            (RowShift, ColumnShift) = (0, int.Log2(RowLanes));
        }
        else
        {
            ColumnLanes = PowerOfTwo(inner, 32);
            RowLanes = IKernel.DefaultThreads / ColumnLanes;
            (RowShift, ColumnShift) = (int.Log2(ColumnLanes), 0);
        }

        Chunks = Math.Max(1, Math.Min(TargetGroups / Math.Max(1, ColumnBlocks), n / (MinRowsPerThread * RowLanes)));
        RowsPerChunk = (n + Chunks - 1) / Chunks;
    }

    public readonly int N, Columns, RowLanes, ColumnLanes, RowShift, ColumnShift, Chunks, RowsPerChunk;

    public readonly FastDivisor Inner;

    /// <summary>The thread's position along the rows of its group.</summary>
    public int Row => (Group.IdxX >> RowShift) & (RowLanes - 1);

    /// <summary>The thread's column; the last groups have some columns after the end.</summary>
    public int Column => Grid.IdxX * ColumnLanes + ((Group.IdxX >> ColumnShift) & (ColumnLanes - 1));

    public int ColumnBlocks => (Columns + ColumnLanes - 1) / ColumnLanes;

    static int PowerOfTwo(int atLeast, int limit)
    {
        var power = 1;
        while (power < atLeast && power < limit) power *= 2;
        return power;
    }
}
