using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Multiply-adds in float32, OwnRows x OwnColumns elements per thread. A thread's elements are quads spread over the tile, so that
/// adjacent threads read adjacent quads. A step waits in registers while the step before it is multiplied.
/// </summary>
readonly struct FloatMultiplier<TTile, TWidth> : IMultiplier where TTile : struct, IThreadTile where TWidth : struct, IWidth
{
    public static bool Unrolled => false;

    // 512 threads hide each other's latency, and leave 128 registers for each.
    public static int GroupsPerMultiprocessor => 512 / Threads;

    public static int Rows => TTile.Rows;

    public static int Columns => TTile.Columns;

    public static int Depth => 8;

    public static int Threads => Down * Across;

    public static int Sums => TTile.OwnRows * TTile.OwnColumns;

    public static int Ahead => 1;

    public static int Parts => 2;

    public static int PartFloats => RightPart + Depth * RightPitch;

    public static int WorkingFloats => Parts * PartFloats;

    public static int Staged => 4 * (LeftQuads + RightQuads);

    public static int SlabPitch => Columns + 4;

    /// <summary>The number of threads along the rows and along the columns of a tile.</summary>
    static int Down => TTile.Rows / TTile.OwnRows;

    static int Across => TTile.Columns / TTile.OwnColumns;

    // A part is [depth, rows], then [depth, columns]. A row is a quad longer than the tile, so that stores across k fall into different banks.
    static int LeftPitch => Rows + 4;

    static int RightPitch => Columns + 4;

    static int RightPart => Depth * LeftPitch;

    static int LeftQuads => (Rows * Depth / 4 + Threads - 1) / Threads;

    static int RightQuads => (Columns * Depth / 4 + Threads - 1) / Threads;

    public static int Lines<TLeft, TRight>() where TLeft : struct, IOperand where TRight : struct, IOperand => LeftRows<TLeft>() + Staging<RightSide<FloatMultiplier<TTile, TWidth>>, TRight, TWidth>.Rows;

    static int LeftRows<TLeft>() where TLeft : struct, IOperand => Staging<LeftSide<FloatMultiplier<TTile, TWidth>>, TLeft, TWidth>.Rows;

    public static void Locate<TLeft, TRight>(TLeft left, TRight right, int row, int column, int[] lines) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        Staging<LeftSide<FloatMultiplier<TTile, TWidth>>, TLeft, TWidth>.Locate(left, row, lines, 0);
        Staging<RightSide<FloatMultiplier<TTile, TWidth>>, TRight, TWidth>.Locate(right, column, lines, 3 * LeftRows<TLeft>());
    }

    public static bool MultipliesMeanwhile => false;

    public static void Clear(float[] sums)
    {
        for (var i = 0; i < Sums; i++) sums[i] = 0f;
    }

    public static void Request<TLeft, TRight>(TLeft left, TRight right, int[] lines, int k, int end, float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        if (k >= end) return;
        ThroughRegisters<LeftSide<FloatMultiplier<TTile, TWidth>>, TLeft, TWidth>.Fetch(left, lines, 0, k, staged, 0);
        ThroughRegisters<RightSide<FloatMultiplier<TTile, TWidth>>, TRight, TWidth>.Fetch(right, lines, 3 * LeftRows<TLeft>(), k, staged, 4 * LeftQuads);
    }

    public static void Receive<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        ThroughRegisters<LeftSide<FloatMultiplier<TTile, TWidth>>, TLeft, TWidth>.Store(staged, 0, shared, part);
        ThroughRegisters<RightSide<FloatMultiplier<TTile, TWidth>>, TRight, TWidth>.Store(staged, 4 * LeftQuads, shared, part + RightPart);
    }

    public static void Drain()
    {
    }

    // The terms are written out, because ptxas does not unroll a loop with this many multiply-adds. If p were not a constant, each load would need an address computation.
    public static void Multiply<TLeft, TRight>(float[] staged, ArrayView<float> shared, int part, float[] sums) where TLeft : struct, IOperand where TRight : struct, IOperand
    {
        var quads = shared.Cast<Quad>().SubView(part / 4);
        ArrayView<Quad> left = quads.SubView(Group.IdxX / Across), right = quads.SubView(RightPart / 4 + (Group.IdxX & (Across - 1)));
        AddProducts(left, right, 0, sums);
        AddProducts(left, right, 1, sums);
        AddProducts(left, right, 2, sums);
        AddProducts(left, right, 3, sums);
        AddProducts(left, right, 4, sums);
        AddProducts(left, right, 5, sums);
        AddProducts(left, right, 6, sums);
        AddProducts(left, right, 7, sums);
    }

    static void AddProducts(ArrayView<Quad> left, ArrayView<Quad> right, int p, float[] sums)
    {
        var a = new float[TTile.OwnRows];
        var b = new float[TTile.OwnColumns];
        for (var i = 0; i < TTile.OwnRows; i += 4) left[p * (LeftPitch / 4) + i / 4 * Down].Spread(a, i);
        for (var j = 0; j < TTile.OwnColumns; j += 4) right[p * (RightPitch / 4) + j / 4 * Across].Spread(b, j);
        for (var i = 0; i < TTile.OwnRows; i++)
            for (var j = 0; j < TTile.OwnColumns; j++)
                sums[i * TTile.OwnColumns + j] += a[i] * b[j];
    }

    // A slab has the same rows of every thread. Rows that are adjacent in the tile are adjacent in the slab, at most four.
    static int RowsOfSlab => TTile.OwnRows / TileMemory<FloatMultiplier<TTile, TWidth>>.Slabs;

    static int Neighbours => Math.Min(4, RowsOfSlab);

    public static int RowOf(int slab, int line)
    {
        if (RowsOfSlab == TTile.OwnRows) return line;
        int own = line / (Neighbours * Down) * Neighbours + (line & (Neighbours - 1)) + RowsOfSlab * slab;
        return (own & ~3) * Down + (line / Neighbours & (Down - 1)) * 4 + (own & 3);
    }

    public static void Put(float[] sums, int slab, ArrayView<float> shared)
    {
        var quads = shared.Cast<Quad>().SubView(Group.IdxX / Across * Neighbours * (SlabPitch / 4) + (Group.IdxX & (Across - 1)));
        for (var i = 0; i < TTile.OwnRows; i++)
        {
            if (RowsOfSlab < TTile.OwnRows && i / RowsOfSlab != slab) continue;
            int own = i & (RowsOfSlab - 1), line = own / Neighbours * Neighbours * Down + (own & (Neighbours - 1));
            for (var j = 0; j < TTile.OwnColumns; j += 4)
            {
                var at = i * TTile.OwnColumns + j;
                quads[line * (SlabPitch / 4) + j / 4 * Across] = Quad.Of(sums, at);
            }
        }
    }
}
