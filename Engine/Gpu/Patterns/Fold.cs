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
/// a row is a place along n, an index is that of the element.
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
    /// (powers of two); all of them get the fold. Every thread of the group must come here.
    /// </summary>
    public static T Across<T, TCombine>(T value, int lowest, int highest) where T : unmanaged where TCombine : struct, ICombine<T> =>
        Across<T, TCombine>(value, lowest, highest, SharedMemory.Allocate<T>(2 * IKernel.DefaultThreads));

    /// <summary>The same in memory given, two places a thread. Its halves take turns, so that one barrier a step is enough.</summary>
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
/// Folds a tensor [outer, n, inner] along its middle axis. A group is a block of threads, some along the rows to be folded and some
/// along the columns, so that neighbours read neighbours whether inner is 1 or large. The grid is [column blocks, chunks of rows]. Reads each
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
                // The first row on its own: ILGPU works out what the column alone decides where it is first used, and shall not find a loop there.
                // Then four at a time, so that their reads are under way together.
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

/// <summary>From what the threads of a fold have gathered to the totals of its columns; with several chunks of rows by a <see cref="FoldTree{T}"/>.</summary>
readonly struct ColumnTotals<T>(FoldTree<T> tree) where T : unmanaged
{
    /// <summary>Every thread comes here with what it has gathered; one thread for each column gets its total, and true.</summary>
    public bool Complete<TCombine>(FoldShape shape, ref T total) where TCombine : struct, ICombine<T>
    {
        var lanes = new FoldLanes(shape.Row, shape.RowLanes, 1 << shape.RowShift);
        ArrayView<T> shared = SharedMemory.Allocate<T>(2 * IKernel.DefaultThreads);
        total = lanes.Across<T, TCombine>(total, shared);
        return tree.Fold<TCombine>(ref total, Grid.IdxX, Grid.IdxY, shape.Column, lanes, shared, SharedMemory.Allocate<int>(1)) && shape.Row == 0 && shape.Column < shape.Columns;
    }
}

/// <summary>How a fold is spread over threads and groups: a function of the extents alone, so that results do not depend on the device's size.</summary>
readonly struct FoldShape
{
    const int TargetGroups = 512;
    const int MinRowsPerThread = 8;

    public FoldShape(int outer, int n, int inner)
    {
        (N, Columns, Inner) = (n, outer * inner, new FastDivisor(inner));
        if (inner == 1)
        {
            // Rows are neighbours in memory.
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

    /// <summary>The thread's place along the rows of its group.</summary>
    public int Row => (Group.IdxX >> RowShift) & (RowLanes - 1);

    /// <summary>The thread's column; the last groups have some behind the end.</summary>
    public int Column => Grid.IdxX * ColumnLanes + ((Group.IdxX >> ColumnShift) & (ColumnLanes - 1));

    public int ColumnBlocks => (Columns + ColumnLanes - 1) / ColumnLanes;

    static int PowerOfTwo(int atLeast, int limit)
    {
        var power = 1;
        while (power < atLeast && power < limit) power *= 2;
        return power;
    }
}
