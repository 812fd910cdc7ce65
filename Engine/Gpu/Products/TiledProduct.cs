using ILGPU;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>
/// y = left right, then the epilogue, for matrix products and all three products of a convolution.
/// Floor: 2 M N K flops over the peak of the units that multiply. Each operand is read once for each tile of the other. Sums are in registers,
/// and operands are in parts of shared memory that alternate: while one part is multiplied, the next ones are loaded, so each step has one barrier.
/// docs/kernels.md leads here from the plain version.
/// </summary>
/// <remarks>The z axis of the grid is batches, whose results are stored one after the other in y, or slices of k. Slices are added up inside the product, or stored like batches.</remarks>
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

/// <summary>The shared memory of a tile. First it has the parts that alternate. At the end it has rows of the result, values of its columns, and data that threads exchange.</summary>
static class TileMemory<TSums> where TSums : struct, ISums
{
    const int MomentsFloats = 3;

    // The memory that a group may use without reducing the number of groups on a multiprocessor, which registers limit too.
    const int Affordable = 6144;

    public static int Quads => Math.Max(TSums.WorkingFloats, Math.Max(Columns + 2 * TSums.Columns, 2 * MomentsFloats * TSums.Threads) + 4) / 4;

    /// <summary>The number of slabs in which a tile is written, as few as memory allows. With one slab, all indices are compile-time constants.</summary>
    public static int Slabs => Fits(1) ? 1 : Fits(2) ? 2 : 4;

    public static int SlabRows => TSums.Rows / Slabs;

    /// <summary>The position at which the values of columns begin, after the slab.</summary>
    public static int Columns => SlabRows * TSums.SlabPitch;

    /// <summary>A word at the end that only <see cref="Arrivals"/> uses, after all parts were multiplied.</summary>
    public static ArrayView<int> Slot(ArrayView<float> shared) => shared.SubView(4 * Quads - 1).Cast<int>();

    static bool Fits(int slabs) => TSums.Rows / slabs * TSums.SlabPitch + 2 * TSums.Columns + 4 <= Math.Max(TSums.WorkingFloats, Affordable);
}

/// <summary>The part of the product that a group computes.</summary>
readonly struct TileGrid(int rows, int columns, int depth, int columnsPerTile, int columnTiles, int depthPerSlice, int depthOffset)
{
    readonly FastDivisor columnTiles = new(columnTiles);

    public readonly int Rows = rows, Columns = columns, Depth = depth;

    /// <summary>The number of columns that a tile computes: all, or those of whole quadratic neurons.</summary>
    public readonly int ColumnsPerTile = columnsPerTile;

    /// <summary>The number of terms of the sum that a slice adds up, and the distance of slices: 0 for batches, each of which adds up all terms.</summary>
    public readonly int DepthPerSlice = depthPerSlice, DepthOffset = depthOffset;

    /// <summary>The first batch of the launch: one launch takes at most <see cref="GpuDevice.MostGroupsYZ"/> batches.</summary>
    public int FirstBatch { get; init; }

    /// <summary>The number of slices of k that the product adds up itself; 0 if groups only store their slices.</summary>
    public int SlicesToAdd { get; init; }

    /// <summary>The batch, or the slice of k that is stored like a batch.</summary>
    public int Batch => SlicesToAdd > 1 ? 0 : FirstBatch + Grid.IdxZ;

    public int RowTile => columnTiles.Divide(Grid.IdxX);

    public int ColumnTile => columnTiles.Remainder(Grid.IdxX);
}
