namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The correlation of <see cref="Correlation"/> for 3x3 windows of step 1, by <see cref="WinogradTransforms"/>:
///   y[n, r, c, :] = sum over i, j in 0..2 of  x[n, r + i - padding, c + j - padding, :] F_ij
/// Rows of tiles (2x2 blocks of y) are transformed until the buffer is full, multiplied, and transformed back; a chunk is a
/// run of such rows over the images. The buffers stay in the second cache.
/// </summary>
sealed unsafe class WinogradCorrelation
{
    const int ChunksWanted = 32;

    // A chunk has at least so many (as counted for the plain sum): each reads all of the filter.
    const int MultiplyAddsOfChunk = 1 << 20;

    // Tiles that are multiplied at once: as many as their transforms leave room for the filter's in the second cache, and no more
    // than are worth it.
    const int BufferBytes = 256 * 1024;
    const int MaxTiles = 64;

    /// <summary>x: [Batch, Height, Width, Channels].</summary>
    public required float* X { get; init; }
    public required int Batch { get; init; }
    public required int Height { get; init; }
    public required int Width { get; init; }
    public required int Channels { get; init; }
    public required int Padding { get; init; }

    /// <summary>The transformed filter: position after position, [Channels, OutChannels] each.</summary>
    public required Panels Filter { get; init; }

    /// <summary>y: [Batch, OutHeight, OutWidth, OutChannels].</summary>
    public required float* Y { get; init; }
    public required int OutChannels { get; init; }

    /// <summary>What is done to finished rows, or null.</summary>
    public EpilogueKernel? Epilogue { get; init; }

    /// <summary>The convolution.</summary>
    public static void Forward(Tensor x, Tensor filter, ConvGeometry geometry, EpilogueKernel? epilogue, Tensor y) => Run(filter, geometry, turned: false, panels => new WinogradCorrelation
    {
        X = x.Pointer(), Batch = geometry.Batch, Height = geometry.Height, Width = geometry.Width, Channels = geometry.InChannels, Padding = geometry.Window.Padding,
        Filter = panels, Y = y.Pointer(), OutChannels = geometry.OutChannels, Epilogue = epilogue,
    });

    /// <summary>Its input gradient: the correlation of dy with the filter turned round, its channels exchanged.</summary>
    public static void InputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx) => Run(filter, geometry, turned: true, panels => new WinogradCorrelation
    {
        X = dy.Pointer(), Batch = geometry.Batch, Height = geometry.OutHeight, Width = geometry.OutWidth, Channels = geometry.OutChannels, Padding = 2 - geometry.Window.Padding,
        Filter = panels, Y = dx.Pointer(), OutChannels = geometry.InChannels,
    });

    static void Run(Tensor filter, ConvGeometry geometry, bool turned, Func<Panels, WinogradCorrelation> create)
    {
        int inputs = geometry.InChannels, outputs = geometry.OutChannels, pairs = inputs * outputs;
        var memory = Device.Cpu.Pool.Rent((long)sizeof(float) * WinogradTransforms.Positions * pairs);
        float* transformed = ((CpuMemory)memory).Pointer;
        ChannelPass.Run(new FilterTransform(filter.Pointer(), transformed, pairs, turned), pairs);
        nint[] positions = [.. Enumerable.Range(0, WinogradTransforms.Positions).Select(position => (nint)position * pairs)];
        var source = turned ? new PanelSource((nint)transformed, positions, outputs, 1, outputs) : new PanelSource((nint)transformed, positions, inputs, outputs, 1);
        using (var panels = new Panels(source, turned ? inputs : outputs, geometry.Rows)) create(panels).Run();
        Device.Cpu.Pool.Return(memory);
    }

    int OutHeight => Height + 2 * Padding - 2;
    int OutWidth => Width + 2 * Padding - 2;
    int TileRows => (OutHeight + 1) / 2;
    int TileColumns => (OutWidth + 1) / 2;
    int TileRowsOfChunk => Math.Max(1 + (int)(MultiplyAddsOfChunk / (18L * OutWidth * Channels * OutChannels)), (Batch * TileRows + ChunksWanted - 1) / ChunksWanted);
    int TilesAtOnce => Math.Min(MaxTiles, BufferBytes / (sizeof(float) * WinogradTransforms.Positions * (Channels + OutChannels)));
    int TileRowsAtOnce => Math.Clamp(TilesAtOnce / TileColumns, 1, TileRowsOfChunk);

    public void Run()
    {
        var chunks = (Batch * TileRows + TileRowsOfChunk - 1) / TileRowsOfChunk;
        Epilogue?.Start(chunks);
        ThreadTeam.Run(chunks, new Job(this));
        Epilogue?.Finish();
    }

    void RunChunk(int chunk)
    {
        int first = chunk * TileRowsOfChunk, end = Math.Min(Batch * TileRows, first + TileRowsOfChunk);
        var tiles = TileRowsAtOnce * TileColumns;
        nint stepV = WinogradTransforms.PositionStep(tiles, Channels), stepM = WinogradTransforms.PositionStep(tiles, OutChannels);
        float* v = ThreadScratch.Operand(WinogradTransforms.Positions * (stepV + stepM));
        float* m = v + WinogradTransforms.Positions * stepV;
        var image = -1;
        ImageWindow window = default;
        for (int row = first, buffered = row; row < end; row++)
        {
            if (row / TileRows != image)
            {
                image = row / TileRows;
                int last = Math.Min(end, (image + 1) * TileRows) - 1;
                window = new ImageWindow(X + (nint)image * Height * Width * Channels, Height, Width, Channels,
                    2 * (row % TileRows) - Padding, 2 * (last % TileRows) + 4 - Padding, -Padding, 2 * TileColumns + 2 - Padding);
            }

            var seen = 2 * (row % TileRows) + 4 - Padding;
            window.Prepare(seen);
            for (var ahead = seen; ahead < seen + 2; ahead++) window.Prefetch(ahead);
            float* x = window.At(2 * (row % TileRows) - Padding) - (nint)Padding * Channels;
            ChannelPass.Run(new InputTransform(x, window.RowStep, Channels, v + (nint)(row - buffered) * TileColumns * Channels, stepV, TileColumns), Channels);
            if (row + 1 < end && row + 1 - buffered < TileRowsAtOnce) continue;

            Multiply(v, stepV, m, stepM, (row + 1 - buffered) * TileColumns);
            WriteRows(chunk, m, stepM, buffered, row + 1);
            buffered = row + 1;
        }
    }

    void Multiply(float* v, nint stepV, float* m, nint stepM, int rows)
    {
        var offsets = ThreadScratch.Offsets(Channels);
        for (var channel = 0; channel < Channels; channel++) offsets[channel] = channel;
        foreach (var panel in Filter.All)
        {
            var whole = new TileOperands
            {
                X = v, XRow = Channels, XOffsets = offsets,
                Y = m + panel.Column, YRow = OutChannels,
                Following = WinogradTransforms.Positions - 1, XNext = stepV, FNext = Channels * panel.Step, YNext = stepM,
            };
            var depth = new DepthBlocks(Channels, panel.Tile.Columns);
            for (var block = 0; block < depth.Count; block++)
            {
                var operands = whole;
                depth.Restrict(block, panel, ref operands);
                panel.Multiply(rows, operands);
            }
        }
    }

    void WriteRows(int chunk, float* m, nint stepM, int firstTileRow, int endTileRow)
    {
        nint rowStep = (nint)OutWidth * OutChannels;
        float* y = Y + OutputRow(firstTileRow) * rowStep;
        for (var row = firstTileRow; row < endTileRow; row++)
        {
            var rows = Math.Min(2, OutHeight - 2 * (row % TileRows));
            ChannelPass.Run(new OutputTransform(m + (nint)(row - firstTileRow) * TileColumns * OutChannels, stepM,
                Y + OutputRow(row) * rowStep, rowStep, OutChannels, OutWidth, rows), OutChannels);
        }

        Epilogue?.Apply(chunk, y, (nint)(y - Y), (int)(OutputRow(endTileRow) - OutputRow(firstTileRow)) * OutWidth);
    }

    // The first row, counted over all images, that a row of tiles writes.
    nint OutputRow(int tileRow) => (nint)(tileRow / TileRows) * OutHeight + 2 * (tileRow % TileRows);

    readonly struct Job(WinogradCorrelation correlation) : IChunkedJob
    {
        public void Run(int chunk) => correlation.RunChunk(chunk);
    }
}
