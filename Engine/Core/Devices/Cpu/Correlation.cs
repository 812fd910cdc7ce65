namespace QuadEngine.Devices.Cpu;

/// <summary>An element of the window: where it reads, counted in pixels from the window's position.</summary>
readonly record struct Tap(int Row, int Column);

/// <summary>
/// The correlation of images with a filter that convolution and its input gradient are:
///   y[n, r, c, :] = sum over taps t of  x[n, r stride + t.Row, c stride + t.Column, :] F_t,      x zero outside the image
/// Chunks are bands of rows of an image. A band whose windows reach over the border is copied first, with its zeros, to where
/// the cache keeps it; so the tiles know no borders.
/// </summary>
sealed unsafe class Correlation
{
    // What a chunk finishes before it goes on, epilogue included, stays in the nearest cache.
    const int BandBytes = 16 * 1024;

    const int ChunksWanted = 32;

    /// <summary>x: [Batch, Height, Width, Channels].</summary>
    public required float* X { get; init; }
    public required int Batch { get; init; }
    public required int Height { get; init; }
    public required int Width { get; init; }
    public required int Channels { get; init; }

    public required Tap[] Taps { get; init; }
    public required int Stride { get; init; }

    /// <summary>Inputs that follow one another at a tap: the channels of a group, or those of several columns at once.</summary>
    public required int Length { get; init; }

    /// <summary>The filter of each group, its rows tap after tap.</summary>
    public required Panels[] Filters { get; init; }

    /// <summary>y: <see cref="Rows"/> x <see cref="Columns"/> pixels an image, at these steps (in elements).</summary>
    public required float* Y { get; init; }
    public required int Rows { get; init; }
    public required int Columns { get; init; }
    public required nint ImageStep { get; init; }
    public required nint RowStep { get; init; }
    public required nint PixelStep { get; init; }

    /// <summary>Channels of y.</summary>
    public required int OutChannels { get; init; }

    /// <summary>What is done to the finished rows, or null.</summary>
    public EpilogueKernel? Epilogue { get; init; }

    int RowsOfChunk => Math.Clamp((int)Math.Min(Rows, ((long)Batch * Rows + ChunksWanted - 1) / ChunksWanted), 1, Math.Max(1, Rows));

    int ChunksOfImage => (Rows + RowsOfChunk - 1) / RowsOfChunk;

    int Chunks => Rows * Columns == 0 ? 0 : Batch * ChunksOfImage;

    public void Run()
    {
        Epilogue?.Start(Chunks);
        ThreadTeam.Run(Chunks, new Job(this));
        Epilogue?.Finish();
    }

    void RunChunk(int chunk)
    {
        int image = chunk / ChunksOfImage, firstRow = chunk % ChunksOfImage * RowsOfChunk, endRow = Math.Min(Rows, firstRow + RowsOfChunk);
        var window = Window(image, firstRow, endRow);
        var segments = stackalloc nint[Taps.Length];
        for (var t = 0; t < Taps.Length; t++) segments[t] = Taps[t].Row * window.RowStep + Taps[t].Column * Channels;

        var bandRows = (int)Math.Max(1, BandBytes / (sizeof(float) * (long)Columns * OutChannels));
        for (var row = firstRow; row < endRow; row += bandRows)
        {
            var rows = Math.Min(bandRows, endRow - row);
            float* y = Y + image * ImageStep + row * RowStep;
            MultiplyBand(window, segments, row, rows, y);
            Epilogue?.Apply(chunk, y, (nint)(y - Y), rows * Columns);
        }
    }

    void MultiplyBand(ImageWindow window, nint* segments, int firstRow, int rows, float* y)
    {
        int groupChannels = Channels / Filters.Length, groupOut = OutChannels / Filters.Length;
        for (var group = 0; group < Filters.Length; group++)
        {
            foreach (var panel in Filters[group].All)
            {
                var whole = new TileOperands
                {
                    X = window.At(firstRow * Stride) + group * groupChannels, XRow = Stride * Channels, XStep = 1,
                    Segments = segments,
                    Y = y + group * groupOut + panel.Column, YRow = PixelStep,
                };
                var depth = new DepthBlocks(Taps.Length, Length, panel.Tile.Columns);
                for (var block = 0; block < depth.Count; block++)
                {
                    var operands = whole;
                    depth.Restrict(block, panel, ref operands);
                    for (var row = 0; row < rows; row++)
                    {
                        panel.Multiply(Columns, operands);
                        operands.X += Stride * window.RowStep;
                        operands.Y += RowStep;
                    }
                }
            }
        }
    }

    ImageWindow Window(int image, int firstRow, int endRow)
    {
        if (Taps.Length == 0) return default;
        int top = firstRow * Stride + Taps.Min(tap => tap.Row), bottom = (endRow - 1) * Stride + Taps.Max(tap => tap.Row) + 1;
        int left = Taps.Min(tap => tap.Column), right = (Columns - 1) * Stride + Taps.Max(tap => tap.Column) + Length * Filters.Length / Channels;
        return ImageWindow.Of(X + (nint)image * Height * Width * Channels, Height, Width, Channels, top, bottom, left, right);
    }

    readonly struct Job(Correlation correlation) : IChunkedJob
    {
        public void Run(int chunk) => correlation.RunChunk(chunk);
    }
}
