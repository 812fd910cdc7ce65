namespace QuadEngine.Gpu;

/// <summary>
/// Estimates how long a product takes with a tile, in cycles of a multiprocessor of an H100 or H200, to choose the tile. Tiles are spread over 132
/// multiprocessors, so each has ceil(tiles / 132) of them, and runs several at a time. A scheduler issues one instruction per cycle, for one of its
/// warps. The w warps of a scheduler, which hide each other's latency, reach w / (w + 1/2) of that rate. A step takes at least as long as its operands take to arrive.
/// </summary>
/// <param name="Tile">The tile.</param>
/// <param name="Rows">The rows of the tile.</param>
/// <param name="Columns">The columns of the tile.</param>
/// <param name="Warps">The number of warps of a group.</param>
/// <param name="Together">The number of groups that a multiprocessor holds at once, which registers and shared memory limit.</param>
/// <param name="Terms">The number of terms of the sum in a step.</param>
/// <param name="Ahead">The number of steps that are being loaded while one is multiplied.</param>
/// <param name="Cycles">The cycles of a scheduler for a step of a warp: the number of instructions of the main loop, or the cycles of its tensor core if they are more.</param>
readonly record struct TileCost(TileChoice Tile, int Rows, int Columns, int Warps, int Together, int Terms, int Ahead, int Cycles)
{
    public const int Multiprocessors = 132;

    const int Schedulers = 4;

    // The cycles from a request to memory until the multiplication; the cycles before the first step and after the last one; the bytes that a multiprocessor reads from L2 in a cycle when all of them read.
    const double Latency = 500, StartAndEnd = 2000, BytesPerCycle = 28;

    // The cycles of a fence, an atomic operation and the first read in sequence; and those of a launch in a graph (1 us) with the least time of a kernel.
    const double Arrival = 1500, Launch = 5000;

    /// <param name="rows">The rows of the product; rows of a tile beyond them are not read.</param>
    /// <param name="tiles">The number of tiles of all batches.</param>
    /// <param name="rowTiles">The number of tiles along the rows.</param>
    /// <param name="terms">The number of terms of the sum, or of a slice of it.</param>
    /// <param name="slices">The number of groups that share a tile.</param>
    public double Of(int rows, double tiles, int rowTiles, int terms, int slices)
    {
        double each = Math.Max(1, Math.Ceiling(tiles * slices / Multiprocessors)), together = Math.Min(each, Together), warps = Math.Max(1, together * Warps / Schedulers);
        var bytes = together * sizeof(float) * Terms * ((double)rows / Math.Max(1, rowTiles) + Columns);
        var step = Math.Max(Math.Max(Cycles * (warps + 0.5), Latency / Ahead), bytes / BytesPerCycle);
        return each / together * (Math.Ceiling((double)terms / Terms) * step + StartAndEnd);
    }

    /// <summary>The cost if the last group of each tile adds up its slices. All groups write and read slices together, but the speed of a single group is limited too.</summary>
    public double ToAdd(int slices, double tiles)
    {
        var moved = Moved(slices, tiles * Rows * Columns);
        return slices == 1 ? 0 : Arrival + moved + Math.Max(moved, slices * Math.Max(150.0, sizeof(float) * Rows * Columns / 40.0));
    }

    /// <summary>The cost if another launch adds up the slices.</summary>
    public static double ToFold(int slices, double elements) => slices == 1 ? 0 : Launch + 2 * Moved(slices, elements);

    // The cost of writing or reading all slices, by all multiprocessors.
    static double Moved(int slices, double elements) => sizeof(float) * slices * elements / (Multiprocessors * BytesPerCycle);
}
