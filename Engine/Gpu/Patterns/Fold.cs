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
    /// (powers of two); all of them get the fold. Every thread of the group must come here. Two halves of shared memory take turns, so that
    /// one barrier a step is enough.
    /// </summary>
    public static T Across<T, TCombine>(T value, int lowest, int highest) where T : unmanaged where TCombine : struct, ICombine<T>
    {
        var shared = SharedMemory.Allocate<T>(2 * IKernel.DefaultThreads);
        int thread = Group.IdxX, half = 0;
        for (var bit = highest; bit >= lowest; bit >>= 1)
        {
            shared[half + thread] = value;
            Group.Barrier();
            value = TCombine.Combine(value, shared[half + (thread ^ bit)]);
            half ^= IKernel.DefaultThreads;
        }

        // The next fold may use the same memory.
        Group.Barrier();
        return value;
    }
}

/// <summary>
/// Folds a tensor [outer, n, inner] along its middle axis. A group is a block of threads, some along the rows to be folded and some
/// along the columns, so that neighbours read neighbours whether inner is 1 or large. The grid is [column blocks, chunks of rows];
/// with several chunks, partial results [chunks, columns] are left for a second fold. Reads each element once.
/// </summary>
readonly struct FoldColumns<TFold, T>(TFold fold, ArrayView<T> partials, FoldShape shape) : IKernel
    where TFold : struct, IFold<T>
    where T : unmanaged
{
    public void Run()
    {
        var row = (Group.IdxX >> shape.RowShift) & (shape.RowLanes - 1);
        var column = Grid.IdxX * shape.ColumnLanes + ((Group.IdxX >> shape.ColumnShift) & (shape.ColumnLanes - 1));
        var total = TFold.Identity;
        if (column < shape.Columns)
        {
            var outer = shape.Inner.Divide(column);
            var start = outer * shape.N * shape.Inner.Divisor + (column - outer * shape.Inner.Divisor);
            var end = Math.Min(shape.N, (Grid.IdxY + 1) * shape.RowsPerChunk);
            for (var i = Grid.IdxY * shape.RowsPerChunk + row; i < end; i += shape.RowLanes)
                total = TFold.Combine(total, fold.Of(i, start + i * shape.Inner.Divisor, column));
        }

        total = GroupFold.Across<T, TFold>(total, 1 << shape.RowShift, shape.RowLanes << shape.RowShift >> 1);
        if (row != 0 || column >= shape.Columns) return;
        if (Grid.DimY > 1) partials[Grid.IdxY * shape.Columns + column] = total;
        else fold.Store(column, total);
    }
}

/// <summary>The second stage: folds the partial results of the chunks.</summary>
readonly struct FoldPartials<TFold, T>(TFold fold, ArrayView<T> partials) : IFold<T> where TFold : struct, IFold<T> where T : unmanaged
{
    public static T Identity => TFold.Identity;

    public static T Combine(T a, T b) => TFold.Combine(a, b);

    public T Of(int row, int index, int column) => partials[index];

    public void Store(int column, T total) => fold.Store(column, total);
}

/// <summary>How a fold is spread over threads and groups: a function of the extents alone, so that results do not depend on the device's size.</summary>
readonly struct FoldShape
{
    const int TargetGroups = 512;
    const int MinRowsPerThread = 8;

    public FoldShape(int outer, int n, int inner, bool mayChunk = true)
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

        var wanted = mayChunk ? Math.Min(TargetGroups / Math.Max(1, ColumnBlocks), n / (MinRowsPerThread * RowLanes)) : 1;
        Chunks = Math.Max(1, wanted);
        RowsPerChunk = (n + Chunks - 1) / Chunks;
    }

    public readonly int N, Columns, RowLanes, ColumnLanes, RowShift, ColumnShift, Chunks, RowsPerChunk;

    public readonly FastDivisor Inner;

    public int ColumnBlocks => (Columns + ColumnLanes - 1) / ColumnLanes;

    static int PowerOfTwo(int atLeast, int limit)
    {
        var power = 1;
        while (power < atLeast && power < limit) power *= 2;
        return power;
    }
}
