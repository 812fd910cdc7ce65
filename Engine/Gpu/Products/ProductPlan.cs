using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>The tiles that kernels are compiled for: of threads (<see cref="IThreadTile"/>), of warps (<see cref="IWarpTile"/>), of warp groups (<see cref="WarpGroups"/>).</summary>
enum TileChoice
{
    Tile128x128,
    Tile64x64,
    Tile128x32,
    Tile256x16,
    Tile32x32,
    Warps128x128,
    Warps128x64,
    Warps128x32,
    Warps128x16,
    Warps32x32,
    WarpGroups256x128,
}

/// <summary>
/// The cheapest tile for a product, the number of slices of its sum, and who adds them up (<see cref="TileCost"/>). The plan is a function of the extents
/// and the precision alone, so the order of additions is always the same.
/// </summary>
/// <param name="Tile">The tile.</param>
/// <param name="Grid">The places of the tiles in the product.</param>
/// <param name="RowTiles">Tiles along the rows.</param>
/// <param name="ColumnTiles">Tiles along the columns.</param>
/// <param name="ElementsPerTile">The number of elements of a tile, including those outside the product.</param>
/// <param name="Slices">The number of groups that share a tile.</param>
/// <param name="AddsSlices">Whether the last group of a tile adds the slices up. This is faster than a launch, unless there are many slices.</param>
/// <param name="Cycles">The estimated time in cycles.</param>
readonly record struct ProductPlan(TileChoice Tile, TileGrid Grid, int RowTiles, int ColumnTiles, int ElementsPerTile, int Slices, bool AddsSlices, double Cycles)
{
    const int MinDepthPerSlice = 64;

    // Slices must gain at least this factor, because the estimate has an error of this size.
    const double SlicesMustGain = 1.15;

    // The depth of a slice is divisible by that of all tiles.
    const int DepthOfStep = 16;

    // Instructions of the main loop of convolutions, by ptxas 12.4 for sm_90; 128 registers per thread.
    static readonly TileCost[] Float32 =
    [
        new(TileChoice.Tile128x128, 128, 128, Warps: 8, Together: 2, Terms: 8, Ahead: 1, Cycles: 632),
        new(TileChoice.Tile64x64, 64, 64, Warps: 4, Together: 4, Terms: 8, Ahead: 1, Cycles: 363),
        new(TileChoice.Tile128x32, 128, 32, Warps: 4, Together: 4, Terms: 8, Ahead: 1, Cycles: 395),
        new(TileChoice.Tile256x16, 256, 16, Warps: 4, Together: 4, Terms: 8, Ahead: 1, Cycles: 429),
        new(TileChoice.Tile32x32, 32, 32, Warps: 2, Together: 8, Terms: 8, Ahead: 1, Cycles: 227),
    ];

    // The same, except for the largest tile in tf32: its 64 HMMA take a scheduler 427 cycles, at 60 % of the data sheet's rate, which mma.sync reaches.
    static readonly TileCost[] Tf32 = OfWarps(427, 249, 203, 182, 128);

    static readonly TileCost[] Bf16 = OfWarps(268, 209, 180, 167, 116);

    static TileCost[] OfWarps(int x128, int x64, int x32, int x16, int small) =>
    [
        new(TileChoice.Warps128x128, 128, 128, Warps: 4, Together: 2, Terms: 16, Ahead: 2, x128),
        new(TileChoice.Warps128x64, 128, 64, Warps: 4, Together: 3, Terms: 16, Ahead: 2, x64),
        new(TileChoice.Warps128x32, 128, 32, Warps: 4, Together: 5, Terms: 16, Ahead: 2, x32),
        new(TileChoice.Warps128x16, 128, 16, Warps: 4, Together: 6, Terms: 16, Ahead: 2, x16),
        new(TileChoice.Warps32x32, 32, 32, Warps: 4, Together: 10, Terms: 16, Ahead: 2, small),
    ];

    // Warp groups take the cycles of the tensor cores in tf32, and one cycle per instruction in bf16.
    static readonly TileCost[] Tf32OfWarpGroups = [.. Tf32, OfWarpGroups(410)];

    static readonly TileCost[] Bf16OfWarpGroups = [.. Bf16, OfWarpGroups(269)];

    static TileCost OfWarpGroups(int cycles) => new(TileChoice.WarpGroups256x128, WarpGroups.Rows, WarpGroups.Columns, Warps: 8, Together: 1, WarpGroups.Depth, Ahead: 1, cycles);

    /// <summary>Whether all tiles begin at a column that is divisible by 4.</summary>
    public bool StartsAtQuads => ColumnTiles == 1 || Grid.ColumnsPerTile % 4 == 0;

    /// <summary>The tiles that products of a precision may use.</summary>
    public static IEnumerable<TileChoice> TilesOf(Precision precision) => Candidates(precision, warpGroups: true).Select(candidate => candidate.Tile);

    static TileCost[] Candidates(Precision precision, bool warpGroups) => precision switch
    {
        Precision.Float32 => Float32,
        Precision.Tf32 => warpGroups ? Tf32OfWarpGroups : Tf32,
        _ => warpGroups ? Bf16OfWarpGroups : Bf16,
    };

    /// <param name="precision">The precision of the product.</param>
    /// <param name="extents">M, N and K.</param>
    /// <param name="batches">The number of products of one shape. The sum of a single product may be cut.</param>
    /// <param name="mayAdd">Whether groups may add up slices.</param>
    /// <param name="mayFold">Whether another launch may add up slices: only without an epilogue, which needs whole sums.</param>
    /// <param name="neuron">The number of columns that must lie in one tile: those of a quadratic neuron, otherwise 1.</param>
    /// <param name="only">A tile to use, if possible, instead of the cheapest one; or null.</param>
    /// <param name="warpGroups">Whether the device has the instructions of warp groups (<see cref="GpuDevice.HasWarpGroups"/>).</param>
    /// <returns>The plan, or null if no tile holds a neuron (for tensor cores also if no tile has columns that begin at quads).</returns>
    public static ProductPlan? For(Precision precision, (int Rows, int Columns, int Depth) extents, int batches, bool mayAdd, bool mayFold, int neuron, TileChoice? only = null, bool warpGroups = false)
    {
        var (rows, columns, depth) = extents;
        var best = (Cycles: double.PositiveInfinity, Plan: (ProductPlan?)null);
        foreach (var tile in Candidates(precision, warpGroups))
        {
            if (only is { } one && tile.Tile != one) continue;

            // Whole neurons, and whole quads if possible.
            var quads = neuron % 4 == 0 ? neuron : neuron % 2 == 0 ? 2 * neuron : 4 * neuron;
            var perTile = tile.Columns >= quads ? tile.Columns / quads * quads : tile.Columns / neuron * neuron;
            if (perTile == 0 || precision != Precision.Float32 && perTile < columns && perTile % 4 != 0) continue;
            int rowTiles = (rows + tile.Rows - 1) / tile.Rows, columnTiles = (columns + perTile - 1) / perTile, tiles = Math.Max(1, rowTiles * columnTiles);

            // Tiles of warp groups are for products that fill the machine with such tiles, and whose sums need not be cut.
            var large = tile.Tile == TileChoice.WarpGroups256x128;
            if (large && (double)tiles * batches < TileCost.Multiprocessors && only is null) continue;

            // Tries the uncut sum, and then the numbers of slices that give each multiprocessor one group, two groups, and so on up to its limit.
            for (var groups = 0; groups <= (!large && batches == 1 && (mayAdd || mayFold) ? tile.Together : 0); groups++)
            {
                var slices = groups == 0 ? 1 : Math.Min(groups * TileCost.Multiprocessors / tiles, depth / MinDepthPerSlice);
                if (groups > 0 && slices <= 1) continue;
                var perSlice = slices == 1 ? depth : ((depth + slices - 1) / slices + DepthOfStep - 1) / DepthOfStep * DepthOfStep;
                if (slices > 1) slices = (depth + perSlice - 1) / perSlice;
                double toAdd = mayAdd || slices == 1 ? tile.ToAdd(slices, tiles) : double.PositiveInfinity, toFold = mayFold || slices == 1 ? TileCost.ToFold(slices, (double)rows * columns) : double.PositiveInfinity;
                var cycles = (tile.Of(rows, (double)tiles * batches, rowTiles, perSlice, slices) + Math.Min(toAdd, toFold)) * (slices == 1 ? 1 : SlicesMustGain);
                if (cycles >= best.Cycles) continue;
                var grid = new TileGrid(rows, columns, depth, perTile, columnTiles, perSlice, slices == 1 ? 0 : perSlice);
                best = (cycles, new(tile.Tile, grid, rowTiles, columnTiles, tile.Rows * tile.Columns, slices, slices > 1 && toAdd <= toFold, cycles));
            }
        }

        return best.Plan ?? (only is null ? null : For(precision, extents, batches, mayAdd, mayFold, neuron, warpGroups: warpGroups));
    }
}
