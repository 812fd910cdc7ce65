using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The filter gradient of 3x3 windows of stride 1, by <see cref="WinogradTransforms"/>: for each position, the product of transformed inputs and
/// transformed output gradients, summed over all tiles. The rows of tiles are cut into a fixed number of shares. Each share sums its tiles and
/// transforms the sum back, and the shares are added in order. A chunk is a share, or some panels of the filter for a share if the filter is large.
/// </summary>
sealed unsafe class WinogradFilterGradient(float* x, float* dy, ConvGeometry geometry, float* dFilter)
{
    const int SharesWanted = 16;

    // The largest size of all shares' filters together.
    const long SharesBytes = 8 << 20;

    // The number of tiles that are multiplied at once. Each sum is read and written once for them.
    const int TilesWanted = 48;

    readonly int inputs = geometry.InChannels;
    readonly int outputs = geometry.OutChannels;
    readonly int tileRows = WinogradTransforms.TilesOver(geometry.OutHeight);
    readonly int tileColumns = WinogradTransforms.TilesOver(geometry.OutWidth);
    readonly Panel[] panels = Panels.Cut(geometry.OutChannels);
    float* shareFilters;

    // The panels of a chunk, and of the filter. Each chunk transforms all inputs of its share, so a chunk has more than one panel.
    const int PanelsOfPart = 2;

    int Pairs => inputs * outputs;

    int Elements => 9 * Pairs;

    int Shares => (int)Math.Clamp(SharesBytes / (sizeof(float) * (long)Elements), 1, Math.Clamp(geometry.Batch * tileRows, 1, SharesWanted));

    int Parts => Shares < SharesWanted ? (panels.Length + PanelsOfPart - 1) / PanelsOfPart : 1;

    int TileRowsAtOnce => Math.Max(1, TilesWanted / tileColumns);

    public void Run()
    {
        var memory = Device.Cpu.Pool.Rent(sizeof(float) * (long)Elements * Shares);
        shareFilters = ((CpuMemory)memory).Pointer;
        ThreadTeam.Run(Shares * Parts, new ShareJob(this));
        FilterGradient.AddShares(shareFilters, Shares, dFilter, Elements);
        Device.Cpu.Pool.Return(memory);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void RunShare(int share, int part)
    {
        var own = panels.AsSpan((panels.Length * part / Parts)..(panels.Length * (part + 1) / Parts));
        int column = own[0].Column, columns = own[^1].Column + own[^1].Width - column;
        int all = geometry.Batch * tileRows, first = (int)((long)all * share / Shares), end = (int)((long)all * (share + 1) / Shares);
        int tiles = TileRowsAtOnce * tileColumns, padding = geometry.Window.Padding;
        nint stepV = WinogradTransforms.PositionStep(tiles, inputs), stepW = WinogradTransforms.PositionStep(tiles, columns);
        float* v = ThreadScratch.Operand(WinogradTransforms.Positions * (stepV + stepW + (long)inputs * columns));
        float* w = v + WinogradTransforms.Positions * stepV, sum = w + WinogradTransforms.Positions * stepW;
        ImageWindow window = default, gradients = default;
        for (int row = first, buffered = row; row < end; row++)
        {
            if (row == first || row % tileRows == 0)
            {
                int image = row / tileRows, tileRow = row % tileRows, lastTileRow = Math.Min(end - 1, (image + 1) * tileRows - 1) % tileRows;
                window = new ImageWindow(x + (nint)image * geometry.Height * geometry.Width * inputs, geometry.Height, geometry.Width, inputs,
                    WinogradTransforms.Tile * tileRow - padding, WinogradTransforms.Tile * lastTileRow + WinogradTransforms.Patch - padding, -padding, WinogradTransforms.Tile * tileColumns + 2 - padding);
                gradients = new ImageWindow(dy + (nint)image * geometry.OutHeight * geometry.OutWidth * outputs, geometry.OutHeight, geometry.OutWidth, outputs,
                    WinogradTransforms.Tile * tileRow, WinogradTransforms.Tile * (lastTileRow + 1), 0, WinogradTransforms.Tile * tileColumns, second: true);
            }

            var at = (nint)(row - buffered) * tileColumns;
            int top = WinogradTransforms.Tile * (row % tileRows), seen = top + WinogradTransforms.Patch - padding;
            window.Prepare(seen);
            gradients.Prepare(top + WinogradTransforms.Tile);
            for (var ahead = 0; ahead < WinogradTransforms.Tile; ahead++)
            {
                window.Prefetch(seen + ahead);
                gradients.Prefetch(top + WinogradTransforms.Tile + ahead);
            }

            ChannelPass.Run(new InputTransform(window.At(top - padding) - (nint)padding * inputs, window.RowStep, inputs, v + at * inputs, stepV, tileColumns), inputs);
            ChannelPass.Run(new GradientTransform(gradients.At(top) + column, gradients.RowStep, outputs, w + at * columns, columns, stepW, tileColumns), columns);
            if (row + 1 < end && row + 1 - buffered < TileRowsAtOnce) continue;
            Multiply(own, v, stepV, w, stepW, columns, (row + 1 - buffered) * tileColumns, accumulate: buffered > first, sum);
            buffered = row + 1;
        }

        // The columns of a part are a part of each row of the filter.
        float* filter = shareFilters + (long)share * Elements + column;
        int rows = columns == outputs ? 1 : inputs, pairs = inputs / rows * columns;
        for (var input = 0; input < rows; input++)
            ChannelPass.Run(new FilterGradientTransform(sum + input * pairs, inputs * columns, filter + (nint)input * outputs, Pairs), pairs);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    void Multiply(ReadOnlySpan<Panel> own, float* v, nint stepV, float* w, nint stepW, int columns, int depth, bool accumulate, float* sum)
    {
        var offsets = ThreadScratch.Offsets(depth);
        for (var tile = 0; tile < depth; tile++) offsets[tile] = tile * inputs;
        foreach (var panel in own)
            panel.Multiply(inputs, new TileOperands
            {
                X = v, XRow = 1, XOffsets = offsets, Depth = depth,
                F = w + (panel.Column - own[0].Column), FStep = columns,
                Y = sum + (panel.Column - own[0].Column), YRow = columns, Accumulate = accumulate,
                Following = WinogradTransforms.Positions - 1, XNext = stepV, FNext = stepW, YNext = (nint)inputs * columns,
            });
    }

    readonly struct ShareJob(WinogradFilterGradient gradient) : IChunkedJob
    {
        public void Run(int chunk) => gradient.RunShare(chunk / gradient.Parts, chunk % gradient.Parts);
    }
}
