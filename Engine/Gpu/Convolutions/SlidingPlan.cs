namespace QuadEngine.Gpu;

/// <summary>The tiles of a sliding convolution.</summary>
/// <param name="Inputs">The pixels of its input.</param>
/// <param name="Outputs">The pixels of the result, in blocks of 8x8.</param>
/// <param name="Padding">Zeros on every side.</param>
/// <param name="Terms">Channels of its input.</param>
/// <param name="Columns">Channels of the result.</param>
/// <param name="TileColumns">Channels of a tile, a divisor of Columns.</param>
readonly record struct SlidingPlan(PixelBlocks Inputs, PixelBlocks Outputs, int Padding, int Terms, int Columns, int TileColumns)
{
    // A tile of 64 columns is one block of pixels.
    public int RowTiles => (Outputs.Count * TileColumns + 63) / 64;

    public int ColumnTiles => Columns / TileColumns;
}
