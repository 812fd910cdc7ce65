using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The correlation of <see cref="Correlation"/> for 3x3 windows of stride 1, by <see cref="WinogradTransforms"/>:
///   y[n, r, c, :] = sum over i, j in 0..2 of  x[n, r + i - padding, c + j - padding, :] F_ij
/// Rows of tiles (4x4 blocks of y) are transformed until the buffer is full, multiplied, and transformed back. A chunk is a
/// sequence of these rows over the images. The buffers stay in the L2 cache.
/// </summary>
sealed unsafe class WinogradCorrelation
{
    const int ChunksWanted = 32;

    // The least number of multiply-adds of a chunk, counted as for the direct sum. Each chunk reads the whole filter, so chunks must not be too small.
    const int MultiplyAddsOfChunk = 1 << 19;

    // The bytes of the tiles that are multiplied at once, which leave room for the transformed filter in the L2 cache. Register tiles are 6 or 12 rows
    // high, so the number of tiles is a multiple of that if possible.
    const int BufferBytes = 256 * 1024;
    const int TilesHigh = 6;

    // A filter that does not fit into the L2 cache is read from a farther cache for each chunk, which takes as long as this number of tiles.
    const int TilesForFarFilter = 12;

    /// <summary>x: [Batch, Height, Width, Channels].</summary>
    public required float* X { get; init; }
    public required int Batch { get; init; }
    public required int Height { get; init; }
    public required int Width { get; init; }
    public required int Channels { get; init; }
    public required int Padding { get; init; }

    /// <summary>The transformed filter: position after position, [Channels, OutChannels] each and a row that is not read.</summary>
    public required Panels Filter { get; init; }

    /// <summary>y: [Batch, OutHeight, OutWidth, OutChannels].</summary>
    public required float* Y { get; init; }
    public required int OutChannels { get; init; }

    /// <summary>The epilogue for finished rows, or null.</summary>
    public EpilogueKernel? Epilogue { get; init; }

    /// <summary>The convolution.</summary>
    public static void Forward(Operand x, Operand filter, ConvGeometry geometry, EpilogueKernel? epilogue, Operand y) => Run(filter, geometry, turned: false, panels => new WinogradCorrelation
    {
        X = x.Pointer(), Batch = geometry.Batch, Height = geometry.Height, Width = geometry.Width, Channels = geometry.InChannels, Padding = geometry.Window.Padding,
        Filter = panels, Y = y.Pointer(), OutChannels = geometry.OutChannels, Epilogue = epilogue,
    });

    /// <summary>The input gradient of the convolution: the correlation of dy with the filter rotated by 180 degrees, with input and output channels exchanged.</summary>
    public static void InputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx) => Run(filter, geometry, turned: true, panels => new WinogradCorrelation
    {
        X = dy.Pointer(), Batch = geometry.Batch, Height = geometry.OutHeight, Width = geometry.OutWidth, Channels = geometry.OutChannels, Padding = 2 - geometry.Window.Padding,
        Filter = panels, Y = dx.Pointer(), OutChannels = geometry.InChannels,
    });

    static void Run(Operand filter, ConvGeometry geometry, bool turned, Func<Panels, WinogradCorrelation> create)
    {
        var (inputs, outputs) = turned ? (geometry.OutChannels, geometry.InChannels) : (geometry.InChannels, geometry.OutChannels);
        var depth = WinogradTransforms.Positions * FilterRows(inputs);
        var kept = !turned && WinogradTransforms.IsFilterWorthKeeping(geometry)
            ? filter.Storage.Arranged(new ArrangedForm("Winograd", filter.Offset, inputs, outputs), Transformed) : null;
        using var panels = new Panels(depth, outputs, kept ?? Transformed());
        create(panels).Run();

        Storage Transformed()
        {
            var memory = Panels.Allocate(depth, outputs);
            using var u = new Panels(depth, outputs, memory.Retain());
            Transform(filter.Pointer(), inputs, outputs, turned, u);
            return memory;
        }
    }

    static void Transform(float* g, int inputs, int outputs, bool turned, Panels u)
    {
        var pairs = inputs * outputs;
        var exchanged = turned ? Device.Cpu.Pool.Rent(sizeof(float) * 9L * pairs) : null;
        if (exchanged is CpuMemory copy)
        {
            new StridedCopy([9, inputs, outputs], [pairs, 1, inputs], [pairs, outputs, 1]).All(g, copy.Pointer);
            g = copy.Pointer;
        }

        ThreadTeam.Run(inputs, new FilterJob(g, inputs, outputs, turned, u.All));
        if (exchanged is not null) Device.Cpu.Pool.Return(exchanged);
    }

    // The number of rows of a position in the filter's panels. It is one more than needed, because a transform accesses all positions at once: see WinogradTransforms.PositionStep.
    static int FilterRows(int inputs) => inputs + 1;

    int OutHeight => Height + 2 * Padding - 2;
    int OutWidth => Width + 2 * Padding - 2;
    int TileRows => WinogradTransforms.TilesOver(OutHeight);
    int TileColumns => WinogradTransforms.TilesOver(OutWidth);

    bool IsFar => !WinogradTransforms.IsNear(Channels, OutChannels);

    // A chunk with a far filter is one buffer. There are at least two chunks and an even number of them, so that two threads have equal parts.
    int FarChunks => Math.Max(2, Batch * TileRows * TileColumns / TilesForFarFilter / 2 * 2);

    // The number of rows of tiles that fill the buffer, and that a chunk has. A chunk with a near filter has whole buffers, or less than one buffer.
    int TileRowsOfBuffer => IsFar ? TileRowsOfChunk : Math.Max(1, RoundDown(BufferBytes / (sizeof(float) * WinogradTransforms.Positions * (Channels + OutChannels) * TileColumns), TilesHigh));
    int TileRowsWorthwhile => 1 + (int)(MultiplyAddsOfChunk / (9L * WinogradTransforms.Tile * OutWidth * Channels * OutChannels));
    int TileRowsWanted => Math.Max(TileRowsWorthwhile, (Batch * TileRows + ChunksWanted - 1) / ChunksWanted);
    int TileRowsOfChunk => IsFar ? (Batch * TileRows + FarChunks - 1) / FarChunks
        : TileRowsWanted <= TileRowsOfBuffer ? TileRowsWanted : RoundDown(TileRowsWanted + TileRowsOfBuffer - 1, TileRowsOfBuffer);
    int TileRowsAtOnce => Math.Min(TileRowsOfBuffer, TileRowsOfChunk);

    static int RoundDown(int value, int step) => value < step ? value : value / step * step;

    public void Run()
    {
        var chunks = (Batch * TileRows + TileRowsOfChunk - 1) / TileRowsOfChunk;
        Epilogue?.Start(chunks);
        ThreadTeam.Run(chunks, new Job(this));
        Epilogue?.Finish();
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
                    FirstRow(row) - Padding, FirstRow(last) + WinogradTransforms.Patch - Padding, -Padding, WinogradTransforms.Tile * TileColumns + 2 - Padding);
            }

            var seen = FirstRow(row) + WinogradTransforms.Patch - Padding;
            window.Prepare(seen);
            for (var ahead = seen; ahead < seen + WinogradTransforms.Tile; ahead++) window.Prefetch(ahead);
            float* x = window.At(FirstRow(row) - Padding) - (nint)Padding * Channels;
            ChannelPass.Run(new InputTransform(x, window.RowStep, Channels, v + (nint)(row - buffered) * TileColumns * Channels, stepV, TileColumns), Channels);
            if (row + 1 < end && row + 1 - buffered < TileRowsAtOnce) continue;

            Multiply(v, stepV, m, stepM, (row + 1 - buffered) * TileColumns);
            WriteRows(chunk, m, stepM, buffered, row + 1);
            buffered = row + 1;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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
                Following = WinogradTransforms.Positions - 1, XNext = stepV, FNext = FilterRows(Channels) * panel.Step, YNext = stepM,
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void WriteRows(int chunk, float* m, nint stepM, int firstTileRow, int endTileRow)
    {
        nint rowStep = (nint)OutWidth * OutChannels;
        for (var row = firstTileRow; row < endTileRow; row++, m += TileColumns * OutChannels)
        {
            var rows = Math.Min(WinogradTransforms.Tile, OutHeight - FirstRow(row));
            float* y = Y + ((nint)(row / TileRows) * OutHeight + FirstRow(row)) * rowStep;
            ChannelPass.Run(new OutputTransform(m, stepM, y, rowStep, OutChannels, OutWidth, rows), OutChannels);
            Epilogue?.Apply(chunk, y, (nint)(y - Y), rows * OutWidth);
        }
    }

    // The first row of an image of y that a row of tiles writes.
    int FirstRow(int tileRow) => WinogradTransforms.Tile * (tileRow % TileRows);

    // Transforms the part of one input channel.
    readonly struct FilterJob(float* filter, int inputs, int outputs, bool turned, Panel[] panels) : IChunkedJob
    {
        [MethodImpl(MethodImplOptions.AggressiveOptimization)]
        public void Run(int channel)
        {
            foreach (var panel in panels)
            {
                float* g = filter + (nint)channel * outputs + panel.Column, u = (float*)panel.Data + channel * panel.Step;
                ChannelPass.Run(new FilterTransform(g, (nint)inputs * outputs, u, FilterRows(inputs) * panel.Step, turned), panel.Width);
            }
        }
    }

    readonly struct Job(WinogradCorrelation correlation) : IChunkedJob
    {
        public void Run(int chunk) => correlation.RunChunk(chunk);
    }
}
