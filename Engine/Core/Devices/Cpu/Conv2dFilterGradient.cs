using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    // dFilter[kh, kw, ci, co] = sum over n, oh, ow of x[n, oh stride + kh dilation - padding, ..., ci] dy[n, oh, ow, co]: a product
    // summed over pixels. The rows of all images are cut into a fixed number of shares. Each share sums its own filter, and the
    // shares are added in order.
    public override void Conv2dFilterGradient(Operand x, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        if (geometry.Rows == 0) Fill(dFilter, 0f);
        else if (dFilter.Shape.Elements == 0) return;
        else if (DepthMultiplier.Applies(geometry))
        {
            using var repeated = DepthMultiplier.Repeated(x, geometry);
            Conv2dFilterGradient(repeated, dy, DepthMultiplier.OfRepeated(geometry), dFilter);
        }
        else if (WinogradTransforms.Suits(geometry)) new WinogradFilterGradient(x.Pointer(), dy.Pointer(), geometry, dFilter.Pointer()).Run();
        else new FilterGradient(x.Pointer(), dy.Pointer(), geometry, dFilter.Pointer()).Run();
    }
}

/// <summary>The filter gradient. A chunk is a share of the images' rows or, if there are few shares, one panel of the filter for that share.</summary>
sealed unsafe class FilterGradient(float* x, float* dy, ConvGeometry geometry, float* dFilter)
{
    // The bytes of the rows of x and dy that stay in the L1 cache while the whole filter passes over them. A band has at least enough pixels to be
    // worth loading and storing the sums.
    const int BandBytes = 26 * 1024;
    const int PixelsWorthwhile = 128;

    const int SharesWanted = 16;

    // A share writes a filter, which is read again. If this does not happen in the L2 cache, it takes as long as the products of about 50 pixels, so a share has more pixels.
    const int NearBytes = 128 * 1024;
    const int PixelsOfShare = 1024;

    // The panels of a share are chunks too, if there are few shares. This is the least number of chunks, if images have enough rows.
    const int FewestChunks = 8;

    // The largest size of all shares' filters together.
    const long SharesBytes = 8 << 20;

    const int AddedAtOnce = 2048;

    readonly Window window = geometry.Window;
    readonly int inputs = geometry.InChannels / geometry.Groups;
    readonly int outputs = geometry.OutChannels / geometry.Groups;
    readonly int imageRows = geometry.Batch * geometry.OutHeight;
    readonly int bandRows = RowsOfBand(geometry);
    readonly Tile[]? tilesOfGroups = CpuKernels.TilesOfGroups(geometry);
    readonly Panel[] panels = PanelsOf(geometry);
    float* shareFilters;

    int Elements => window.Height * window.Width * inputs * geometry.OutChannels;

    int SharesWorthwhile => sizeof(float) * (long)Elements <= NearBytes ? SharesWanted
        : Math.Clamp(geometry.Rows / PixelsOfShare, (FewestChunks + panels.Length - 1) / panels.Length, SharesWanted);

    int Shares => (int)Math.Clamp(SharesBytes / (sizeof(float) * (long)Elements), 1, Math.Min(imageRows, SharesWorthwhile));

    // The number of chunks per share.
    int Parts => Shares < SharesWanted && sizeof(float) * (long)Elements > NearBytes ? panels.Length : 1;

    public void Run()
    {
        var memory = Device.Cpu.Pool.Rent(sizeof(float) * (long)Elements * Shares);
        shareFilters = ((CpuMemory)memory).Pointer;
        ThreadTeam.Run(Shares * Parts, new ShareJob(this));
        AddShares(shareFilters, Shares, dFilter, Elements);
        Device.Cpu.Pool.Return(memory);
    }

    // The columns of a group, or of all groups if they are multiplied together.
    static Panel[] PanelsOf(ConvGeometry geometry)
    {
        var tiles = CpuKernels.TilesOfGroups(geometry);
        return Panels.Cut(geometry.OutChannels / (tiles is null ? geometry.Groups : 1), tiles);
    }

    static int RowsOfBand(ConvGeometry geometry)
    {
        var window = geometry.Window;
        long rowOfX = sizeof(float) * (long)geometry.Width * geometry.InChannels, rowOfDy = sizeof(float) * (long)geometry.OutWidth * geometry.OutChannels;
        var fitting = (BandBytes - (window.Height - 1) * window.Dilation * rowOfX) / (window.Stride * rowOfX + rowOfDy);
        return (int)Math.Max(fitting, (PixelsWorthwhile + geometry.OutWidth - 1) / geometry.OutWidth);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void RunShare(int share, int part)
    {
        float* sum = shareFilters + (long)share * Elements;
        var own = Parts == 1 ? panels : panels.AsSpan(part, 1);
        int first = (int)((long)imageRows * share / Shares), end = (int)((long)imageRows * (share + 1) / Shares);
        for (int row = first, next; row < end; row = next)
        {
            next = Math.Min(end, (row / geometry.OutHeight + 1) * geometry.OutHeight);
            AddImage(own, row, next - row, accumulate: row > first, sum);
        }
    }

    // Adds some rows of one image, in bands.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddImage(ReadOnlySpan<Panel> own, int row, int rows, bool accumulate, float* sum)
    {
        int image = row / geometry.OutHeight, firstRow = row % geometry.OutHeight, reach = (window.Height - 1) * window.Dilation + 1 - window.Padding;
        var source = new ImageWindow(x + (nint)image * geometry.Height * geometry.Width * geometry.InChannels, geometry.Height, geometry.Width, geometry.InChannels,
            firstRow * window.Stride - window.Padding, (firstRow + rows - 1) * window.Stride + reach,
            -window.Padding, (geometry.OutWidth - 1) * window.Stride + (window.Width - 1) * window.Dilation + 1 - window.Padding);

        for (int from = firstRow, end = firstRow + rows, to; from < end; from = to)
        {
            to = Math.Min(end, from + bandRows);
            source.Prepare((to - 1) * window.Stride + reach);
            AddBand(own, source, image, from, to - from, accumulate || from > firstRow, sum);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void AddBand(ReadOnlySpan<Panel> own, in ImageWindow source, int image, int firstRow, int rows, bool accumulate, float* sum)
    {
        var top = firstRow * window.Stride - window.Padding;
        float* bandGradients = dy + ((nint)image * geometry.OutHeight + firstRow) * geometry.OutWidth * geometry.OutChannels;
        var pixels = ThreadScratch.Offsets(rows * geometry.OutWidth);
        for (var pixel = 0; pixel < rows * geometry.OutWidth; pixel++)
            pixels[pixel] = window.Stride * (pixel / geometry.OutWidth * (int)source.RowStep + pixel % geometry.OutWidth * geometry.InChannels);

        // If adjacent columns of the window are adjacent in memory, they are one block of rows of the filter. In a depthwise convolution, each column of the window is one row.
        bool together = tilesOfGroups is not null, depthwise = together && inputs == 1, whole = depthwise || geometry.Groups == 1 && window.Dilation == 1;
        int blocks = whole ? 1 : window.Width, blockRows = whole ? window.Width * inputs : inputs;
        for (var group = 0; group < (together ? 1 : geometry.Groups); group++)
        {
            foreach (var panel in own)
            {
                var narrow = panel.Width < panel.Tile.Columns;
                var gradients = bandGradients + group * outputs + panel.Column;
                var operands = new TileOperands
                {
                    XRow = depthwise ? window.Dilation * geometry.InChannels : 1, XOffsets = pixels, Depth = rows * geometry.OutWidth,
                    F = narrow ? Widen(gradients, rows * geometry.OutWidth, panel) : gradients, FStep = narrow ? panel.Tile.Columns : geometry.OutChannels,
                    YRow = geometry.OutChannels, Accumulate = accumulate,
                };
                for (var kh = 0; kh < window.Height; kh++)
                {
                    for (var block = 0; block < blocks; block++)
                    {
                        operands.X = source.At(top + kh * window.Dilation) + (nint)(block * window.Dilation - window.Padding) * geometry.InChannels + (together ? panel.Column : group * inputs);
                        operands.Y = sum + ((nint)kh * window.Width + block) * inputs * geometry.OutChannels + group * outputs + panel.Column;
                        panel.Multiply(blockRows, operands);
                    }
                }
            }
        }
    }

    // A tile reads all its columns, so this makes a copy that has all of them.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    float* Widen(float* pixels, int count, in Panel panel)
    {
        var columns = panel.Tile.Columns;
        var wide = ThreadScratch.Operand((long)count * columns);
        new Span<float>(wide, count * columns).Clear();
        for (var pixel = 0; pixel < count; pixel++)
            new ReadOnlySpan<float>(pixels + (nint)pixel * geometry.OutChannels, panel.Width).CopyTo(new Span<float>(wide + pixel * columns, panel.Width));
        return wide;
    }

    /// <summary>sum = the sum of the shares [shares, elements], added in order.</summary>
    public static void AddShares(float* shares, int count, float* sum, int elements) => ThreadTeam.Run((elements + AddedAtOnce - 1) / AddedAtOnce, chunk =>
    {
        int from = chunk * AddedAtOnce, length = Math.Min(AddedAtOnce, elements - from);
        new ReadOnlySpan<float>(shares + from, length).CopyTo(new Span<float>(sum + from, length));
        for (var share = 1; share < count; share++) ChannelPass.Add(shares + (long)share * elements + from, length, sum + from);
    });

    readonly struct ShareJob(FilterGradient gradient) : IChunkedJob
    {
        public void Run(int chunk) => gradient.RunShare(chunk / gradient.Parts, chunk % gradient.Parts);
    }
}
