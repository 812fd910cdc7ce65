using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>One side of a tile: the part of an operand that a group holds.</summary>
interface ISide
{
    static abstract int Outer { get; }

    static abstract int Depth { get; }

    static abstract int Threads { get; }
}

readonly struct LeftSide<TMultiplier> : ISide where TMultiplier : struct, IMultiplier
{
    public static int Outer => TMultiplier.Rows;

    public static int Depth => TMultiplier.Depth;

    public static int Threads => TMultiplier.Threads;
}

readonly struct RightSide<TMultiplier> : ISide where TMultiplier : struct, IMultiplier
{
    public static int Outer => TMultiplier.Columns;

    public static int Depth => TMultiplier.Depth;

    public static int Threads => TMultiplier.Threads;
}

/// <summary>
/// Distributes the quads of an operand's part of a tile over the threads. Adjacent threads read adjacent memory, and all quads of a
/// thread have the same terms of the sum, so the part of their positions that changes with the step is computed once for all of them.
/// All extents are powers of two, and a mask replaces the remainder, which ptxas would compute by a division even for constants.
/// </summary>
static class Staging<TSide, TOperand, TWidth>
    where TSide : struct, ISide
    where TOperand : struct, IOperand
    where TWidth : struct, IWidth
{
    static int Quads => TSide.Outer * TSide.Depth / 4;

    /// <summary>The number of quads that one thread loads.</summary>
    public static int PerThread => (Quads + TSide.Threads - 1) / TSide.Threads;

    /// <summary>The number of terms that a quad needs. A quad is one load, or four loads: of four terms along the sum, of four rows across it.</summary>
    public static int Terms => TWidth.Four || !TOperand.AlongK ? 1 : 4;

    public static int Rows => TWidth.Four || TOperand.AlongK ? PerThread : 4 * PerThread;

    // The number of threads side by side along adjacent memory.
    static int ThreadsAlong => TOperand.AlongK ? TSide.Depth / 4 : Math.Min(TSide.Outer / 4, TSide.Threads / TSide.Depth);

    /// <summary>The position of a thread's first quad along adjacent memory, and across it.</summary>
    public static int Along => (Group.IdxX & (ThreadsAlong - 1)) * 4;

    public static int Across => Group.IdxX / ThreadsAlong;

    /// <summary>The distance of a thread's quads in the outer axis.</summary>
    public static int Apart => TOperand.AlongK ? TSide.Threads / ThreadsAlong : 4 * ThreadsAlong;

    /// <summary>Whether the thread has quads; there may be fewer quads than threads.</summary>
    public static bool IsBusy => Quads >= TSide.Threads || Group.IdxX < Quads;

    /// <summary>Computes the rows from which the thread loads.</summary>
    public static void Locate(TOperand operand, int first, int[] rows, int at)
    {
        for (var i = 0; i < Rows; i++)
        {
            var row = operand.Outer(first + (TOperand.AlongK ? Across + i * Apart : Along + (TWidth.Four ? i * Apart : (i >> 2) * Apart + (i & 3))));
            rows[at + 3 * i] = row.Offset;
            rows[at + 3 * i + 1] = row.Row;
            rows[at + 3 * i + 2] = row.Column;
        }
    }

    public static Coordinate RowOf(int[] rows, int at, int i) => new(rows[at + 3 * i], rows[at + 3 * i + 1], rows[at + 3 * i + 2]);

    public static Coordinate TermOf(TOperand operand, int from, int i) => operand.Term(from + (TOperand.AlongK ? Along + i : Across));
}

/// <summary>
/// Loads quads into shared memory, in the layout [depth, outer]. They go from memory to registers early, and from registers to shared memory after the
/// previous tile has been used.
/// </summary>
static class ThroughRegisters<TSide, TOperand, TWidth>
    where TSide : struct, ISide
    where TOperand : struct, IOperand
    where TWidth : struct, IWidth
{
    static int Pitch => TSide.Outer + 4;

    public static void Fetch(TOperand operand, int[] rows, int at, int from, float[] staged, int first)
    {
        for (var i = 0; i < Staging<TSide, TOperand, TWidth>.Terms; i++)
        {
            var term = Staging<TSide, TOperand, TWidth>.TermOf(operand, from, i);
            for (var j = 0; j < Staging<TSide, TOperand, TWidth>.Rows; j++)
            {
                var index = Staging<TSide, TOperand, TWidth>.IsBusy ? operand.Index(Staging<TSide, TOperand, TWidth>.RowOf(rows, at, j), term) : -1;
                if (TWidth.Four)
                {
                    var value = index < 0 ? default : operand.Memory.Elements.Cast<Quad>()[index / 4];
                    value.Spread(staged, first + 4 * j);
                }
                else
                {
                    staged[first + (TOperand.AlongK ? 4 * j + i : j)] = index < 0 ? 0f : operand.Memory.Elements[index];
                }
            }
        }
    }

    public static void Store(float[] staged, int first, ArrayView<float> shared, int part)
    {
        if (!Staging<TSide, TOperand, TWidth>.IsBusy) return;
        int along = Staging<TSide, TOperand, TWidth>.Along, across = Staging<TSide, TOperand, TWidth>.Across;
        var column = shared.SubView(part + (TOperand.AlongK ? along * Pitch + across : 0));
        var row = shared.Cast<Quad>().SubView(part / 4 + (TOperand.AlongK ? 0 : across * (Pitch / 4) + along / 4));
        for (var q = 0; q < Staging<TSide, TOperand, TWidth>.PerThread; q++)
        {
            int from = first + 4 * q, apart = q * Staging<TSide, TOperand, TWidth>.Apart;
            if (TOperand.AlongK)
                for (var i = 0; i < 4; i++) column[i * Pitch + apart] = staged[from + i];
            else
                row[apart / 4] = Quad.Of(staged, from);
        }
    }
}
