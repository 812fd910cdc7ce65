using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>One side of a tile: how much of an operand a group holds.</summary>
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
/// Deals the quads of an operand's part of a tile out to the threads, so that neighbouring threads read neighbouring memory and the quads of a
/// thread have the terms of the sum in common: what a step adds to their places is worked out once for all of them.
/// All extents are powers of two, and a mask takes the place of a remainder, which ptxas would compute by a division even of constants.
/// </summary>
static class Staging<TSide, TOperand, TWidth>
    where TSide : struct, ISide
    where TOperand : struct, IOperand
    where TWidth : struct, IWidth
{
    static int Quads => TSide.Outer * TSide.Depth / 4;

    /// <summary>Quads that one thread brings.</summary>
    public static int PerThread => (Quads + TSide.Threads - 1) / TSide.Threads;

    /// <summary>A quad is one load, or four: along the sum these are of four terms, across it of four rows.</summary>
    public static int Terms => TWidth.Four || !TOperand.AlongK ? 1 : 4;

    public static int Rows => TWidth.Four || TOperand.AlongK ? PerThread : 4 * PerThread;

    // Threads side by side along the neighbours.
    static int ThreadsAlong => TOperand.AlongK ? TSide.Depth / 4 : Math.Min(TSide.Outer / 4, TSide.Threads / TSide.Depth);

    /// <summary>Where a thread's first quad lies along the neighbours, and across them.</summary>
    public static int Along => (Group.IdxX & (ThreadsAlong - 1)) * 4;

    public static int Across => Group.IdxX / ThreadsAlong;

    /// <summary>How far a thread's quads are apart in the outer axis.</summary>
    public static int Apart => TOperand.AlongK ? TSide.Threads / ThreadsAlong : 4 * ThreadsAlong;

    /// <summary>The thread has quads: there may be fewer than threads.</summary>
    public static bool IsBusy => Quads >= TSide.Threads || Group.IdxX < Quads;

    /// <summary>Works out the rows that the thread loads from.</summary>
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
/// Brings quads into shared memory, laid out [depth, outer]: from memory to registers early, from registers to shared memory once the
/// tile before has been used.
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
