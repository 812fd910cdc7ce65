using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>An element of the window, as an offset in pixels from the window's position.</summary>
readonly record struct Tap(int Row, int Column);

/// <summary>
/// A grid of pixels of y that read the images through the same taps. A convolution has one grid; its input gradient has one for each
/// remainder of row and column by the stride.
/// </summary>
/// <param name="Taps">The window.</param>
/// <param name="Filters">The filter of each group, its rows tap after tap; or one filter for all groups, in tiles that read x at the place of the column.</param>
/// <param name="Rows">Rows of the grid.</param>
/// <param name="Columns">Columns of the grid.</param>
/// <param name="Start">The position of the grid's first pixel within an image of y, in elements.</param>
sealed record Grid(Tap[] Taps, Panels[] Filters, int Rows, int Columns, nint Start);

/// <summary>
/// The correlation of images with filters, which computes convolutions and their input gradients. For each grid
///   y[n, r, c, :] = sum over taps t of  x[n, r stride + t.Row, c stride + t.Column, :] F_t,      x zero outside the image
/// Chunks are bands of rows of an image or, for a large filter on small images, panels of the filter. If windows reach over the border of an image, the image is first copied with zeros around
/// it to a buffer that stays in the cache. So tiles need no code for borders.
/// </summary>
sealed unsafe class Correlation
{
    // The part of y that a chunk finishes at once, including the epilogue, stays in the L1 cache.
    const int BandBytes = 16 * 1024;

    const int ChunksWanted = 32;

    // The least work of a chunk. Each chunk copies the pixels that its windows share with those of neighboring chunks, so chunks must not be too small.
    const int MultiplyAddsOfChunk = 1 << 18;

    const int LargeFilterBytes = 1 << 20;

    // In images of at most this size, reading a large filter for each band would take longer than the products.
    const int PixelsOfSmallImage = 256;

    /// <summary>x: [Batch, Height, Width, Channels].</summary>
    public required float* X { get; init; }
    public required int Batch { get; init; }
    public required int Height { get; init; }
    public required int Width { get; init; }
    public required int Channels { get; init; }

    public required int Groups { get; init; }

    public required Grid[] Grids { get; init; }
    public required int Stride { get; init; }

    /// <summary>y. The steps are the distances between images, between rows of a grid and between pixels of a grid, in elements.</summary>
    public required float* Y { get; init; }
    public required nint ImageStep { get; init; }
    public required nint RowStep { get; init; }
    public required nint PixelStep { get; init; }

    /// <summary>Channels of y.</summary>
    public required int OutChannels { get; init; }

    /// <summary>The epilogue for the finished rows if there is only one grid, or null.</summary>
    public EpilogueKernel? Epilogue { get; init; }

    // Whether a panel reads x from the channel of its first column on.
    bool ReadsOwnChannels => Grids[0].Filters.Length < Groups;

    // The first grid is the largest.
    int Rows => Grids[0].Rows;

    // A chunk is several images, or several rows of one image.
    int ImagesOfChunk => Math.Max(1, Batch / ChunksWanted);

    int RowsOfChunk => (int)Math.Clamp(((long)Batch * Rows + ChunksWanted - 1) / ChunksWanted, Math.Min(Rows, RowsWorthwhile), Rows);

    int RowsWorthwhile => 1 + (int)(MultiplyAddsOfChunk / (1 + (long)Grids[0].Columns * OutChannels * Grids[0].Filters[0].Depth));

    int ChunksOfImage => (Rows + RowsOfChunk - 1) / RowsOfChunk;

    /// <summary>Whether a filter is too large for the L2 cache.</summary>
    public static bool IsLarge(int depth, int outChannels) => sizeof(float) * (long)depth * outChannels > LargeFilterBytes;

    // Whether each thread reads a part of the filter for all pixels, instead of the whole filter for a part of the pixels.
    bool SplitsPanels => Grids is [{ Filters: [{ All.Length: > 1 } filter] } grid] && IsLarge(filter.Depth, OutChannels)
        && grid.Rows * grid.Columns <= PixelsOfSmallImage;

    public void Run()
    {
        if (SplitsPanels) RunPanels();
        else RunRows();
        foreach (var grid in Grids)
            foreach (var filter in grid.Filters) filter.Dispose();
    }

    // The epilogue follows when all channels of a row have been computed.
    void RunPanels()
    {
        ThreadTeam.Run(Grids[0].Filters[0].All.Length * Batch, new PanelJob(this));
        Epilogue?.Start(Batch);
        if (Epilogue is not null) ThreadTeam.Run(Batch, new EpilogueJob(this));
        Epilogue?.Finish();
    }

    void RunRows()
    {
        var chunks = (Batch + ImagesOfChunk - 1) / ImagesOfChunk * ChunksOfImage;
        Epilogue?.Start(chunks);
        ThreadTeam.Run(chunks, new Job(this));
        Epilogue?.Finish();
    }

    // Applies the same panel to one image after another.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void RunPanel(int chunk)
    {
        int image = chunk % Batch, rows = Rows;
        var grid = Grids[0];
        var window = Window(image, 0, rows, out var reach);
        window.Prepare((rows - 1) * Stride + reach);
        MultiplyPanel(grid, grid.Filters[0], grid.Filters[0].All[chunk / Batch], window, Offsets(window.RowStep), 0, 0, rows, Y + image * ImageStep + grid.Start);
    }

    void RunEpilogue(int image) => Epilogue!.Apply(image, Y + image * ImageStep, image * ImageStep, Rows * Grids[0].Columns);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void RunChunk(int chunk)
    {
        int firstImage = chunk / ChunksOfImage * ImagesOfChunk, firstRow = chunk % ChunksOfImage * RowsOfChunk;
        for (var image = firstImage; image < Math.Min(Batch, firstImage + ImagesOfChunk); image++)
            RunRows(chunk, image, firstRow, Math.Min(Rows, firstRow + RowsOfChunk));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void RunRows(int chunk, int image, int firstRow, int endRow)
    {
        var window = Window(image, firstRow, endRow, out var reach);
        var offsets = Offsets(window.RowStep);
        var bandRows = (int)Math.Max(1, BandBytes / (sizeof(float) * (long)Grids[0].Columns * OutChannels));
        for (var row = firstRow; row < endRow; row += bandRows)
        {
            var end = Math.Min(endRow, row + bandRows);
            var seen = (end - 1) * Stride + reach;
            window.Prepare(seen);
            for (var ahead = seen; ahead < seen + bandRows * Stride; ahead++) window.Prefetch(ahead);

            var gridOffsets = offsets;
            foreach (var grid in Grids)
            {
                var rows = Math.Min(end, grid.Rows) - row;
                var y = Y + image * ImageStep + grid.Start + row * RowStep;
                MultiplyBand(grid, window, gridOffsets, row, rows, y);
                Epilogue?.Apply(chunk, y, (nint)(y - Y), rows * grid.Columns);
                gridOffsets += grid.Filters[0].Depth;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void MultiplyBand(Grid grid, in ImageWindow window, int* offsets, int firstRow, int rows, float* y)
    {
        int groupChannels = Channels / Groups, groupOut = OutChannels / Groups;
        for (var group = 0; group < grid.Filters.Length; group++)
        {
            foreach (var panel in grid.Filters[group].All)
                MultiplyPanel(grid, grid.Filters[group], panel, window, offsets, group * groupChannels, firstRow, rows, y + group * groupOut);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void MultiplyPanel(Grid grid, Panels filter, in Panel panel, in ImageWindow window, int* offsets, int firstChannel, int firstRow, int rows, float* y)
    {
        var whole = new TileOperands
        {
            X = window.At(firstRow * Stride) + firstChannel + (ReadsOwnChannels ? panel.Column : 0), XRow = Stride * Channels, XOffsets = offsets,
            Y = y + panel.Column, YRow = PixelStep,
        };
        var depth = new DepthBlocks(filter.Depth, panel.Tile.Columns);
        for (var block = 0; block < depth.Count; block++)
        {
            var operands = whole;
            depth.Restrict(block, panel, ref operands);
            for (var row = 0; row < rows; row++)
            {
                panel.Multiply(grid.Columns, operands);
                operands.X += Stride * window.RowStep;
                operands.Y += RowStep;
            }
        }
    }

    // The offsets of a group's inputs at each tap from the window's position: the tables of all grids, one after the other.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    int* Offsets(nint rowStep)
    {
        var inputs = Channels / Groups;
        var offsets = ThreadScratch.Offsets(Grids.Sum(grid => grid.Filters[0].Depth));
        var k = 0;
        foreach (var grid in Grids)
        {
            foreach (var tap in grid.Taps)
            {
                var at = tap.Row * (int)rowStep + tap.Column * Channels;
                for (var channel = 0; channel < inputs; channel++) offsets[k++] = at + channel;
            }
        }

        return offsets;
    }

    // The part of an image that the windows of these rows of all grids read. The windows of a row end reach rows after its own position.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    ImageWindow Window(int image, int firstRow, int endRow, out int reach)
    {
        int top = int.MaxValue, bottom = int.MinValue, left = int.MaxValue, right = int.MinValue;
        foreach (var grid in Grids)
        {
            foreach (var tap in grid.Taps)
            {
                top = Math.Min(top, firstRow * Stride + tap.Row);
                bottom = Math.Max(bottom, (endRow - 1) * Stride + tap.Row + 1);
                left = Math.Min(left, tap.Column);
                right = Math.Max(right, (grid.Columns - 1) * Stride + tap.Column + 1);
            }
        }

        reach = bottom - (endRow - 1) * Stride;
        return bottom < top ? default : new ImageWindow(X + (nint)image * Height * Width * Channels, Height, Width, Channels, top, bottom, left, right);
    }

    readonly struct Job(Correlation correlation) : IChunkedJob
    {
        public void Run(int chunk) => correlation.RunChunk(chunk);
    }

    readonly struct PanelJob(Correlation correlation) : IChunkedJob
    {
        public void Run(int chunk) => correlation.RunPanel(chunk);
    }

    readonly struct EpilogueJob(Correlation correlation) : IChunkedJob
    {
        public void Run(int chunk) => correlation.RunEpilogue(chunk);
    }
}
