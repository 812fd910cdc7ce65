namespace QuadEngine.Gpu;

/// <summary>The pixels of images, cut into blocks that are computed together. Blocks at the right and at the lower edge may reach beyond the image.</summary>
readonly struct PixelBlocks
{
    readonly FastDivisor across, down;
    readonly int blockRows, blockColumns;

    public PixelBlocks(int images, int height, int width, int blockRows, int blockColumns)
    {
        (Height, Width, this.blockRows, this.blockColumns) = (height, width, blockRows, blockColumns);
        (across, down) = (new((width + blockColumns - 1) / blockColumns), new((height + blockRows - 1) / blockRows));
        Count = images * across.Divisor * down.Divisor;
    }

    /// <summary>The size of the images.</summary>
    public readonly int Height, Width;

    public readonly int Count;

    /// <summary>The share of the blocks' pixels that lie in the images.</summary>
    public double UsedShare => (double)Height * Width / ((double)across.Divisor * blockColumns * down.Divisor * blockRows);

    /// <summary>The first pixel of a block.</summary>
    public Place First(int block)
    {
        int line = across.Divide(block), image = down.Divide(line);
        return new Place(image, down.Rest(line, image) * blockRows, across.Rest(block, line) * blockColumns, 0);
    }

    /// <summary>Divides a small number of 0 or more by a constant. ptxas would use a real division even for a constant.</summary>
    public static int Divide(int number, int constant) => number * (65536 / constant + 1) >> 16;

    /// <summary>The number of a pixel in the images, or -1 if it lies outside.</summary>
    public int Pixel(int image, int row, int column) => (uint)row < (uint)Height & (uint)column < (uint)Width ? (image * Height + row) * Width + column : -1;
}
