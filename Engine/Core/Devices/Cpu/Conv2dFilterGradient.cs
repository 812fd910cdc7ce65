namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    // dFilter[kh, kw, ci, co] = sum over n, oh, ow of x[n, oh stride + kh dilation - padding, ..., ci] dy[n, oh, ow, co]: a product
    // summed over pixels. The rows of all images are cut into a fixed number of shares; each sums its own filter, and the
    // shares are added in order.
    public override void Conv2dFilterGradient(Tensor x, Tensor dy, ConvGeometry geometry, Tensor dFilter) =>
        new FilterGradient(x.Pointer(), dy.Pointer(), geometry, dFilter.Pointer()).Run();
}

/// <summary>The filter gradient, a chunk being one share of the images' rows and one row of the window.</summary>
sealed unsafe class FilterGradient(float* x, float* dy, ConvGeometry geometry, float* dFilter)
{
    // Pixels of dy that stay in the nearest cache while all of the filter passes over them.
    const int BandBytes = 16 * 1024;

    const int SharesWanted = 16;

    // The shares' filters together; a larger filter has fewer shares, as its rows are chunks of their own.
    const long SharesBytes = 8 << 20;

    const int AddedAtOnce = 2048;

    readonly Window window = geometry.Window;
    readonly int inputs = geometry.InChannels / geometry.Groups;
    readonly int outputs = geometry.OutChannels / geometry.Groups;
    readonly int imageRows = geometry.Batch * geometry.OutHeight;
    float* shareFilters;

    int Elements => window.Height * window.Width * inputs * geometry.OutChannels;

    int Shares => (int)Math.Clamp(SharesBytes / (sizeof(float) * (long)Elements), 1, Math.Min(SharesWanted, Math.Max(1, imageRows)));

    public void Run()
    {
        var memory = Device.Cpu.Pool.Rent(sizeof(float) * (long)Elements * Shares);
        shareFilters = ((CpuMemory)memory).Pointer;
        ThreadTeam.Run(Shares * window.Height, new ShareJob(this));
        ThreadTeam.Run((Elements + AddedAtOnce - 1) / AddedAtOnce, new AddJob(this));
        Device.Cpu.Pool.Return(memory);
    }

    void RunShare(int share, int kh)
    {
        float* sum = shareFilters + (long)share * Elements;
        int first = (int)((long)imageRows * share / Shares), end = (int)((long)imageRows * (share + 1) / Shares);
        if (first == end) new Span<float>(sum + kh * (Elements / window.Height), Elements / window.Height).Clear();

        var bandRows = (int)Math.Max(1, BandBytes / (sizeof(float) * (long)geometry.OutWidth * geometry.OutChannels));
        for (int row = first, next; row < end; row = next)
        {
            // A band ends where its image does.
            next = Math.Min(Math.Min(end, row + bandRows), (row / geometry.OutHeight + 1) * geometry.OutHeight);
            AddBand(kh, row, next - row, accumulate: row > first, sum);
        }
    }

    void AddBand(int kh, int firstRow, int rows, bool accumulate, float* sum)
    {
        int image = firstRow / geometry.OutHeight, top = firstRow % geometry.OutHeight * window.Stride + kh * window.Dilation - window.Padding;
        var source = ImageWindow.Of(x + (nint)image * geometry.Height * geometry.Width * geometry.InChannels, geometry.Height, geometry.Width, geometry.InChannels,
            top, top + (rows - 1) * window.Stride + 1, -window.Padding, (geometry.OutWidth - 1) * window.Stride + (window.Width - 1) * window.Dilation + 1 - window.Padding);
        var segments = stackalloc nint[rows];
        for (var row = 0; row < rows; row++) segments[row] = row * window.Stride * source.RowStep;

        // Where neighbouring columns of the window are neighbours in memory, they are one block of rows of the filter.
        var whole = geometry.Groups == 1 && window.Dilation == 1;
        int blocks = whole ? 1 : window.Width, blockRows = whole ? window.Width * inputs : inputs;
        for (var group = 0; group < geometry.Groups; group++)
        {
            for (var block = 0; block < blocks; block++)
            {
                var operands = new TileOperands
                {
                    X = source.At(top) + (nint)(block * window.Dilation - window.Padding) * geometry.InChannels + group * inputs, XRow = 1, XStep = window.Stride * geometry.InChannels,
                    Segments = segments, SegmentCount = rows, Length = geometry.OutWidth,
                    Accumulate = accumulate,
                };
                float* pixels = dy + (nint)firstRow * geometry.OutWidth * geometry.OutChannels + group * outputs;
                float* target = sum + ((nint)kh * window.Width + block) * inputs * geometry.OutChannels + group * outputs;
                foreach (var panel in Panels.Cut(outputs))
                {
                    var narrow = panel.Width < panel.Tile.Columns;
                    operands.F = narrow ? Widen(pixels + panel.Column, rows * geometry.OutWidth, panel) : pixels + panel.Column;
                    operands.FStep = narrow ? panel.Tile.Columns : geometry.OutChannels;
                    operands.Y = target + panel.Column;
                    operands.YRow = geometry.OutChannels;
                    panel.Multiply(blockRows, operands);
                }
            }
        }
    }

    // A tile reads all its columns: a copy in which they exist.
    float* Widen(float* pixels, int count, in Panel panel)
    {
        var columns = panel.Tile.Columns;
        var wide = ThreadScratch.Operand((long)count * columns);
        new Span<float>(wide, count * columns).Clear();
        for (var pixel = 0; pixel < count; pixel++)
            new ReadOnlySpan<float>(pixels + (nint)pixel * geometry.OutChannels, panel.Width).CopyTo(new Span<float>(wide + pixel * columns, panel.Width));
        return wide;
    }

    void AddShares(int chunk)
    {
        int from = chunk * AddedAtOnce, count = Math.Min(AddedAtOnce, Elements - from);
        var sum = new Span<float>(dFilter + from, count);
        new ReadOnlySpan<float>(shareFilters + from, count).CopyTo(sum);
        for (var share = 1; share < Shares; share++) Add(shareFilters + (long)share * Elements + from, dFilter + from, count);
    }

    static void Add(float* source, float* target, int count)
    {
        var i = 0;
        for (; i <= count - System.Numerics.Vector<float>.Count; i += System.Numerics.Vector<float>.Count)
            System.Numerics.Vector.Store(System.Numerics.Vector.Load(target + i) + System.Numerics.Vector.Load(source + i), target + i);
        for (; i < count; i++) target[i] += source[i];
    }

    readonly struct ShareJob(FilterGradient gradient) : IChunkedJob
    {
        public void Run(int chunk) => gradient.RunShare(chunk / gradient.window.Height, chunk % gradient.window.Height);
    }

    readonly struct AddJob(FilterGradient gradient) : IChunkedJob
    {
        public void Run(int chunk) => gradient.AddShares(chunk);
    }
}
