using ILGPU;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// y = left right, then the epilogue, for matrix products and all three products of a convolution.
/// Floor: 2 M N K flops over the peak of the units that multiply; each operand is read once a tile of the other. Sums live in registers,
/// operands in parts of shared memory that take turns: while one is multiplied, the next are on their way, so that a step has one barrier.
/// docs/kernels.md leads here from the plain version.
/// </summary>
/// <remarks>The z axis of the grid are batches, whose results are left one after the other in y, or slices of k: they are added up within the product, or left as batches are.</remarks>
readonly struct TiledProduct<TMultiplier, TProduct, TLeft, TRight>(TProduct product, TileGrid grid, Slices slices, TileEpilogue epilogue) : IKernel
    where TMultiplier : struct, IMultiplier
    where TProduct : struct, IProduct<TLeft, TRight>
    where TLeft : struct, IOperand
    where TRight : struct, IOperand
{
    public static int Threads => TMultiplier.Threads;

    public static bool Unrolled => TMultiplier.Unrolled;

    public static int GroupsPerMultiprocessor => TMultiplier.GroupsPerMultiprocessor;

    public void Run()
    {
        var shared = SharedMemory.Allocate<Quad>(TileMemory<TMultiplier>.Quads).Cast<float>();
        int rowTile = grid.RowTile, firstRow = rowTile * TMultiplier.Rows, firstColumn = grid.ColumnTile * grid.ColumnsPerTile;
        TLeft left = product.Left(grid.Batch);
        TRight right = product.Right(grid.Batch);
        int k = Grid.IdxZ * grid.DepthOffset, end = Math.Min(product.Depth(left, grid), k + grid.DepthPerSlice);

        var lines = new int[3 * TMultiplier.Lines<TLeft, TRight>()];
        TMultiplier.Locate(left, right, firstRow, firstColumn, lines);
        var sums = new float[TMultiplier.Sums];
        TMultiplier.Clear(sums);

        var staged = new float[TMultiplier.Staged];
        for (var i = 0; i < TMultiplier.Ahead; i++) TMultiplier.Request(left, right, lines, k + i * TMultiplier.Depth, end, staged, shared, i * TMultiplier.PartFloats);
        int part = 0, coming = TMultiplier.Ahead * TMultiplier.PartFloats;
        for (; k < end; k += TMultiplier.Depth)
        {
            TMultiplier.Receive<TLeft, TRight>(staged, shared, part);
            Group.Barrier();
            var next = k + TMultiplier.Ahead * TMultiplier.Depth;
            if (!TMultiplier.MultipliesMeanwhile) TMultiplier.Request(left, right, lines, next, end, staged, shared, coming);
            TMultiplier.Multiply<TLeft, TRight>(staged, shared, part, sums);
            if (TMultiplier.MultipliesMeanwhile) TMultiplier.Request(left, right, lines, next, end, staged, shared, coming);
            coming = part;
            part = part == (TMultiplier.Parts - 1) * TMultiplier.PartFloats ? 0 : part + TMultiplier.PartFloats;
        }

        TMultiplier.Drain();
        Group.Barrier();
        if (CudaAsm.IsSupported && !TMultiplier.MultipliesMeanwhile && grid.SlicesToAdd > 1 && !slices.Add<TMultiplier>(sums, grid.SlicesToAdd, TileMemory<TMultiplier>.Slot(shared))) return;
        epilogue.Store<TMultiplier, ProductPlaces<TProduct, TLeft, TRight>>(new(product, left, firstRow, grid), sums, shared, firstColumn, grid.ColumnsPerTile, grid.Columns, grid.ColumnTile, rowTile);
    }
}

/// <summary>The shared memory of a tile: the parts that take turns; at the end, rows of the result and numbers of its columns, then what threads tell each other.</summary>
static class TileMemory<TSums> where TSums : struct, ISums
{
    const int MomentsFloats = 3;

    // Memory that a group may take without there being fewer groups on a multiprocessor: registers allow no more either.
    const int Affordable = 6144;

    public static int Quads => Math.Max(TSums.WorkingFloats, Math.Max(Columns + 2 * TSums.Columns, 2 * MomentsFloats * TSums.Threads) + 4) / 4;

    /// <summary>The tile leaves in so many slabs, as few as memory allows: of one, all indices are constants.</summary>
    public static int Slabs => Fits(1) ? 1 : Fits(2) ? 2 : 4;

    public static int SlabRows => TSums.Rows / Slabs;

    /// <summary>Where the numbers of columns begin, behind the slab.</summary>
    public static int Columns => SlabRows * TSums.SlabPitch;

    /// <summary>A word at the end that only <see cref="Arrivals"/> use, once all parts were multiplied.</summary>
    public static ArrayView<int> Slot(ArrayView<float> shared) => shared.SubView(4 * Quads - 1).Cast<int>();

    static bool Fits(int slabs) => TSums.Rows / slabs * TSums.SlabPitch + 2 * TSums.Columns + 4 <= Math.Max(TSums.WorkingFloats, Affordable);
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

    /// <summary>Where the launch begins: one launch takes <see cref="GpuDevice.MostGroupsYZ"/> batches at most.</summary>
    public int FirstBatch { get; init; }

    /// <summary>Slices of k that the product adds up itself; 0 where groups leave what they have.</summary>
    public int SlicesToAdd { get; init; }

    /// <summary>The batch, or the slice of k that is left as if it were one.</summary>
    public int Batch => SlicesToAdd > 1 ? 0 : FirstBatch + Grid.IdxZ;

    public int RowTile => columnTiles.Divide(Grid.IdxX);

    public int ColumnTile => columnTiles.Remainder(Grid.IdxX);
}
