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
/// Which tile a product takes and into how many slices its sum is cut: a function of the extents and the precision alone, so that the order of
/// additions is always the same. The estimate: groups run two to a multiprocessor on some 132 of them, at a share of the peak that the
/// tile's reuse allows.
/// </summary>
readonly record struct ProductPlan(TileChoice Tile, TileGrid Grid, int RowTiles, int ColumnTiles, int RowsPerTile, int Slices)
{
    const double GroupsAtOnce = 264, WarpGroupTilesAtOnce = 132;
    const int MinDepthPerSlice = 256;

    // The depth of a slice is divisible by that of all tiles.
    const int DepthOfStep = 16;

    static readonly (TileChoice Tile, int Rows, int Columns, double Share)[] OfThreads =
    [
        (TileChoice.Tile128x128, 128, 128, 1.0),
        (TileChoice.Tile64x64, 64, 64, 0.85),
        (TileChoice.Tile128x32, 128, 32, 0.77),
        (TileChoice.Tile256x16, 256, 16, 0.71),
        (TileChoice.Tile32x32, 32, 32, 0.66),
    ];

    static readonly (TileChoice Tile, int Rows, int Columns, double Share)[] OfWarps =
    [
        (TileChoice.Warps128x128, 128, 128, 1.0),
        (TileChoice.Warps128x64, 128, 64, 0.75),
        (TileChoice.Warps128x32, 128, 32, 0.5),
        (TileChoice.Warps128x16, 128, 16, 0.35),
        (TileChoice.Warps32x32, 32, 32, 0.25),
    ];

    // Of 256 x 128, each takes a multiprocessor for itself and reads three quarters of what two of 128 x 128 read.
    static readonly (TileChoice Tile, int Rows, int Columns, double Share) OfWarpGroups = (TileChoice.WarpGroups256x128, WarpGroups.Rows, WarpGroups.Columns, 1.33);

    /// <summary>All tiles begin at a column that is divisible by 4.</summary>
    public bool StartsAtQuads => ColumnTiles == 1 || Grid.ColumnsPerTile % 4 == 0;

    /// <summary>The tiles that products of a precision may take.</summary>
    public static IEnumerable<TileChoice> TilesOf(Precision precision) => Candidates(precision, warpGroups: true).Select(candidate => candidate.Tile);

    static (TileChoice Tile, int Rows, int Columns, double Share)[] Candidates(Precision precision, bool warpGroups) => precision == Precision.Float32 ? OfThreads : warpGroups ? [.. OfWarps, OfWarpGroups] : OfWarps;

    /// <param name="precision">Whose tiles.</param>
    /// <param name="extents">M, N and K.</param>
    /// <param name="batches">Products of one shape.</param>
    /// <param name="maySlice">The sum may be cut: there is no epilogue and no batch.</param>
    /// <param name="neuron">Columns that must lie in one tile: those of a quadratic neuron, else 1.</param>
    /// <param name="only">The one tile to take where it can be taken, instead of the one of the lowest cost.</param>
    /// <param name="warpGroups">The device has the instructions of warp groups (<see cref="GpuDevice.HasWarpGroups"/>).</param>
    /// <returns>The plan, or null where no tile holds a neuron (for tensor cores also: none whose columns begin at quads).</returns>
    public static ProductPlan? For(Precision precision, (int Rows, int Columns, int Depth) extents, int batches, bool maySlice, int neuron, TileChoice? only = null, bool warpGroups = false)
    {
        var (rows, columns, depth) = extents;
        var most = maySlice ? Math.Max(1, depth / MinDepthPerSlice) : 1;
        var best = (Cost: double.PositiveInfinity, Plan: (ProductPlan?)null);
        foreach (var (tile, tileRows, tileColumns, share) in Candidates(precision, warpGroups))
        {
            if (only is { } one && tile != one) continue;

            // Whole neurons, and whole quads where that is possible.
            var quads = neuron % 4 == 0 ? neuron : neuron % 2 == 0 ? 2 * neuron : 4 * neuron;
            var perTile = tileColumns >= quads ? tileColumns / quads * quads : tileColumns / neuron * neuron;
            if (perTile == 0) continue;
            int rowTiles = (rows + tileRows - 1) / tileRows, columnTiles = (columns + perTile - 1) / perTile;
            if (precision != Precision.Float32 && columnTiles > 1 && perTile % 4 != 0) continue;
            var groups = (double)rowTiles * columnTiles * batches;

            // Tiles of warp groups are for products that fill the machine with them.
            var large = tile == TileChoice.WarpGroups256x128;
            if (large && groups < WarpGroupTilesAtOnce && only is null) continue;
            var atOnce = large ? WarpGroupTilesAtOnce : GroupsAtOnce;
            var slices = large ? 1 : (int)Math.Clamp(atOnce / groups, 1, most);
            var cost = Math.Max(1, groups * slices / atOnce) * atOnce * tileRows * tileColumns / share / slices;
            if (cost >= best.Cost) continue;
            var perSlice = ((depth + slices - 1) / slices + DepthOfStep - 1) / DepthOfStep * DepthOfStep;
            var grid = new TileGrid(rows, columns, depth, perTile, columnTiles, slices == 1 ? depth : perSlice, slices == 1 ? 0 : perSlice);
            best = (cost, new ProductPlan(tile, grid, rowTiles, columnTiles, tileRows, slices == 1 ? 1 : (depth + perSlice - 1) / perSlice));
        }

        return best.Plan ?? (only is null ? null : For(precision, extents, batches, maySlice, neuron, warpGroups: warpGroups));
    }
}
