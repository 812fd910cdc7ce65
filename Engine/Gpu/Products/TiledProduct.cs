using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// y = left right, then the epilogue, for matrix products and all three products of a convolution.
/// Floor: 2 M N K flops over the FMA peak; each operand is read once a tile of the other. Accumulators live in registers, operands in
/// two halves of shared memory that take turns: while one is multiplied, the next lies in registers on its way to the other, so that
/// a step has one barrier. docs/kernels.md leads here from the plain version.
/// </summary>
/// <remarks>The z axis of the grid are batches, or slices of k, whose results are left one after the other in y.</remarks>
readonly struct TiledProduct<TTile, TWidth, TProduct, TLeft, TRight>(TProduct product, TileGrid grid, TileEpilogue epilogue) : IKernel
    where TTile : struct, ITile
    where TWidth : struct, IWidth
    where TProduct : struct, IProduct<TLeft, TRight>
    where TLeft : struct, IOperand
    where TRight : struct, IOperand
{
    public static int Threads => TTile.Threads;

    public void Run()
    {
        var shared = SharedMemory.Allocate<Quad>(TileMemory<TTile>.Quads).Cast<float>();
        int rowTile = grid.RowTile, firstRow = rowTile * TTile.Rows, firstColumn = grid.ColumnTile * grid.ColumnsPerTile;
        int k = Grid.IdxZ * grid.DepthOffset, end = Math.Min(grid.Depth, k + grid.DepthPerSlice);
        TLeft left = product.Left(Grid.IdxZ);
        TRight right = product.Right(Grid.IdxZ);

        var leftLines = new int[3 * Staging<LeftSide<TTile>, TLeft, TWidth>.PerThread];
        var rightLines = new int[3 * Staging<RightSide<TTile>, TRight, TWidth>.PerThread];
        var leftStaged = new float[4 * Staging<LeftSide<TTile>, TLeft, TWidth>.PerThread];
        var rightStaged = new float[4 * Staging<RightSide<TTile>, TRight, TWidth>.PerThread];
        Staging<LeftSide<TTile>, TLeft, TWidth>.Locate(left, firstRow, leftLines);
        Staging<RightSide<TTile>, TRight, TWidth>.Locate(right, firstColumn, rightLines);

        var sums = new float[TTile.ThreadRows * TTile.ThreadColumns];
        for (var i = 0; i < TTile.ThreadRows * TTile.ThreadColumns; i++) sums[i] = 0f;

        Staging<LeftSide<TTile>, TLeft, TWidth>.Fetch(left, leftLines, k, end, leftStaged);
        Staging<RightSide<TTile>, TRight, TWidth>.Fetch(right, rightLines, k, end, rightStaged);
        for (var half = 0; k < end; half ^= 1)
        {
            var offset = half * TileMemory<TTile>.Half;
            Staging<LeftSide<TTile>, TLeft, TWidth>.Store(leftStaged, shared, offset);
            Staging<RightSide<TTile>, TRight, TWidth>.Store(rightStaged, shared, offset + TileMemory<TTile>.Left);
            Group.Barrier();
            k += TTile.Depth;
            Staging<LeftSide<TTile>, TLeft, TWidth>.Fetch(left, leftLines, k, end, leftStaged);
            Staging<RightSide<TTile>, TRight, TWidth>.Fetch(right, rightLines, k, end, rightStaged);
            Multiply(shared, offset, sums);
        }

        Group.Barrier();
        epilogue.Store<TTile>(sums, shared, firstRow, firstColumn, rowTile, grid);
    }

    // The outer products of the step's columns of left and rows of right. A thread's elements are quads spread over the tile, so that
    // neighbouring threads read neighbouring quads.
    static void Multiply(ArrayView<float> shared, int offset, float[] sums)
    {
        int across = TTile.Columns / TTile.ThreadColumns, threadRow = Group.IdxX / across, threadColumn = Group.IdxX & (across - 1);
        int atLeft = offset + 4 * threadRow, atRight = offset + TileMemory<TTile>.Left + 4 * threadColumn;
        var quads = shared.Cast<Quad>();
        for (var p = 0; p < TTile.Depth; p++)
        {
            var a = new float[TTile.ThreadRows];
            var b = new float[TTile.ThreadColumns];
            for (var i = 0; i < TTile.ThreadRows; i += 4) Spread(quads[(atLeft + p * (TTile.Rows + 4) + i * (TTile.Rows / TTile.ThreadRows)) / 4], a, i);
            for (var j = 0; j < TTile.ThreadColumns; j += 4) Spread(quads[(atRight + p * (TTile.Columns + 4) + j * across) / 4], b, j);
            for (var i = 0; i < TTile.ThreadRows; i++)
                for (var j = 0; j < TTile.ThreadColumns; j++)
                    sums[i * TTile.ThreadColumns + j] += a[i] * b[j];
        }
    }

    static void Spread(Quad quad, float[] values, int at)
    {
        values[at] = quad.X;
        values[at + 1] = quad.Y;
        values[at + 2] = quad.Z;
        values[at + 3] = quad.W;
    }
}

/// <summary>The shared memory of a tile, in floats: two halves, each with a left and a right part; at the end, rows of the result.</summary>
static class TileMemory<TTile> where TTile : struct, ITile
{
    public static int Left => TTile.Depth * (TTile.Rows + 4);

    public static int Half => Left + TTile.Depth * (TTile.Columns + 4);

    /// <summary>Rows of the result that pass through shared memory at once: two of each thread.</summary>
    public static int SlabRows => 2 * TTile.Rows / TTile.ThreadRows;

    public static int SlabPitch => TTile.Columns + 4;

    public static int Quads => Math.Max(2 * Half, SlabRows * SlabPitch) / 4;
}

/// <summary>Which part of the product a group computes.</summary>
readonly struct TileGrid(int rows, int columns, int depth, int columnsPerTile, int columnTiles, int depthPerSlice, int depthOffset)
{
    readonly FastDivisor columnTiles = new(columnTiles);

    public readonly int Rows = rows, Columns = columns, Depth = depth;

    /// <summary>Columns that a tile is used for: all, or as many as whole quadratic neurons take.</summary>
    public readonly int ColumnsPerTile = columnsPerTile;

    /// <summary>Terms of the sum that a slice adds up, and how far slices are apart: 0 for batches, which all add up everything.</summary>
    public readonly int DepthPerSlice = depthPerSlice, DepthOffset = depthOffset;

    public int RowTile => columnTiles.Divide(Grid.IdxX);

    public int ColumnTile => columnTiles.Remainder(Grid.IdxX);
}
