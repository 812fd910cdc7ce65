namespace QuadEngine.Gpu;

/// <summary>
/// How long a product takes with a tile, in cycles of a multiprocessor of an H100 or H200: an estimate, to choose by. Tiles are spread over 132
/// multiprocessors, so that each has ceil(tiles / 132) of them, some of these at a time. A scheduler issues one instruction a cycle, to one of its
/// warps: w warps that hide each other's waiting reach w / (w + 1/2) of that. A step lasts no less than its operands take to arrive.
/// </summary>
/// <param name="Tile">Which.</param>
/// <param name="Rows">Its extent.</param>
/// <param name="Columns">Its extent.</param>
/// <param name="Warps">Those of a group.</param>
/// <param name="Together">Groups that a multiprocessor holds at once: as many as registers and shared memory allow.</param>
/// <param name="Terms">Terms of the sum in a step.</param>
/// <param name="Ahead">Steps that are on their way while one is multiplied.</param>
/// <param name="Cycles">Of a scheduler, for a step of a warp: as many as the main loop has instructions, or as its tensor core takes if that is more.</param>
readonly record struct TileCost(TileChoice Tile, int Rows, int Columns, int Warps, int Together, int Terms, int Ahead, int Cycles)
{
    public const int Multiprocessors = 132;

    const int Schedulers = 4;

    // From asking memory to multiplying; before the first step and after the last one; what a multiprocessor reads of L2 in a cycle when all do.
    const double Latency = 500, StartAndEnd = 2000, BytesPerCycle = 28;

    // A fence, an atomic operation and the first read, one after the other. A launch within a graph (1 us) and what a kernel takes at least.
    const double Arrival = 1500, Launch = 5000;

    /// <param name="rows">Of the product: those that a tile has beyond them are not read.</param>
    /// <param name="tiles">Tiles of all batches.</param>
    /// <param name="rowTiles">Those along the rows.</param>
    /// <param name="terms">Of the sum, or of a slice of it.</param>
    /// <param name="slices">Groups that share a tile.</param>
    public double Of(int rows, double tiles, int rowTiles, int terms, int slices)
    {
        double each = Math.Max(1, Math.Ceiling(tiles * slices / Multiprocessors)), together = Math.Min(each, Together), warps = Math.Max(1, together * Warps / Schedulers);
        var bytes = together * sizeof(float) * Terms * ((double)rows / Math.Max(1, rowTiles) + Columns);
        var step = Math.Max(Math.Max(Cycles * (warps + 0.5), Latency / Ahead), bytes / BytesPerCycle);
        return each / together * (Math.Ceiling((double)terms / Terms) * step + StartAndEnd);
    }

    /// <summary>For the last group of each tile to add up its slices: all write and read them together, but a group alone also has its limits.</summary>
    public double ToAdd(int slices, double tiles)
    {
        var moved = Moved(slices, tiles * Rows * Columns);
        return slices == 1 ? 0 : Arrival + moved + Math.Max(moved, slices * Math.Max(150.0, sizeof(float) * Rows * Columns / 40.0));
    }

    /// <summary>For another launch to do so.</summary>
    public static double ToFold(int slices, double elements) => slices == 1 ? 0 : Launch + 2 * Moved(slices, elements);

    // Writing or reading all slices, by all multiprocessors.
    static double Moved(int slices, double elements) => sizeof(float) * slices * elements / (Multiprocessors * BytesPerCycle);
}
