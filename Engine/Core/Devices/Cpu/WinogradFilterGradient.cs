namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The filter gradient of 3x3 windows of step 1, by <see cref="WinogradTransforms"/>: for each position, the product of transformed inputs and
/// transformed output gradients, summed over all tiles. The rows of tiles are cut into a fixed number of shares; each sums its own, and
/// the shares are added in order before the sum is transformed back.
/// </summary>
sealed unsafe class WinogradFilterGradient(float* x, float* dy, ConvGeometry geometry, float* dFilter)
{
    const int SharesWanted = 16;

    // The shares' sums together.
    const long SharesBytes = 16 << 20;

    // Tiles that are multiplied at once: a sum is read and written once for each.
    const int TilesWanted = 96;

    const int PairsAtOnce = 1024;

    readonly int inputs = geometry.InChannels;
    readonly int outputs = geometry.OutChannels;
    readonly int tileRows = (geometry.OutHeight + 1) / 2;
    readonly int tileColumns = (geometry.OutWidth + 1) / 2;
    readonly Panel[] panels = Panels.Cut(geometry.OutChannels);
    float* sums;

    int Pairs => inputs * outputs;

    // Of one share: the sums of all positions.
    long SumLength => (long)WinogradTransforms.Positions * Pairs;

    int Shares => (int)Math.Clamp(SharesBytes / (sizeof(float) * SumLength), 1, Math.Clamp(geometry.Batch * tileRows, 1, SharesWanted));

    int TileRowsAtOnce => Math.Max(1, TilesWanted / tileColumns);

    public void Run()
    {
        var memory = Device.Cpu.Pool.Rent(sizeof(float) * SumLength * Shares);
        sums = ((CpuMemory)memory).Pointer;
        ThreadTeam.Run(Shares, new ShareJob(this));
        ThreadTeam.Run((Pairs + PairsAtOnce - 1) / PairsAtOnce, new FinishJob(this));
        Device.Cpu.Pool.Return(memory);
    }

    void RunShare(int share)
    {
        float* sum = sums + SumLength * share;
        int all = geometry.Batch * tileRows, first = (int)((long)all * share / Shares), end = (int)((long)all * (share + 1) / Shares);
        int tiles = TileRowsAtOnce * tileColumns, padding = geometry.Window.Padding;
        nint stepV = WinogradTransforms.PositionStep(tiles, inputs), stepW = WinogradTransforms.PositionStep(tiles, outputs);
        float* v = ThreadScratch.Operand(WinogradTransforms.Positions * (stepV + stepW));
        float* w = v + WinogradTransforms.Positions * stepV;
        ImageWindow window = default, gradients = default;
        for (int row = first, buffered = row; row < end; row++)
        {
            if (row == first || row % tileRows == 0)
            {
                int image = row / tileRows, tileRow = row % tileRows, lastTileRow = Math.Min(end - 1, (image + 1) * tileRows - 1) % tileRows;
                window = new ImageWindow(x + (nint)image * geometry.Height * geometry.Width * inputs, geometry.Height, geometry.Width, inputs,
                    2 * tileRow - padding, 2 * lastTileRow + 4 - padding, -padding, 2 * tileColumns + 2 - padding);
                gradients = new ImageWindow(dy + (nint)image * geometry.OutHeight * geometry.OutWidth * outputs, geometry.OutHeight, geometry.OutWidth, outputs,
                    2 * tileRow, 2 * lastTileRow + 2, 0, 2 * tileColumns, second: true);
            }

            var at = (nint)(row - buffered) * tileColumns;
            var top = 2 * (row % tileRows);
            window.Prepare(top + 4 - padding);
            gradients.Prepare(top + 2);
            for (var ahead = 0; ahead < 2; ahead++)
            {
                window.Prefetch(top + 4 - padding + ahead);
                gradients.Prefetch(top + 2 + ahead);
            }

            ChannelPass.Run(new InputTransform(window.At(top - padding) - (nint)padding * inputs, window.RowStep, inputs, v + at * inputs, stepV, tileColumns), inputs);
            ChannelPass.Run(new GradientTransform(gradients.At(top), gradients.RowStep, outputs, w + at * outputs, stepW, tileColumns), outputs);
            if (row + 1 < end && row + 1 - buffered < TileRowsAtOnce) continue;
            Multiply(v, stepV, w, stepW, (row + 1 - buffered) * tileColumns, accumulate: buffered > first, sum);
            buffered = row + 1;
        }
    }

    void Multiply(float* v, nint stepV, float* w, nint stepW, int depth, bool accumulate, float* sum)
    {
        var offsets = ThreadScratch.Offsets(depth);
        for (var tile = 0; tile < depth; tile++) offsets[tile] = tile * inputs;
        foreach (var panel in panels)
            panel.Multiply(inputs, new TileOperands
            {
                X = v, XRow = 1, XOffsets = offsets, Depth = depth,
                F = w + panel.Column, FStep = outputs,
                Y = sum + panel.Column, YRow = outputs, Accumulate = accumulate,
                Following = WinogradTransforms.Positions - 1, XNext = stepV, FNext = stepW, YNext = Pairs,
            });
    }

    void Finish(int chunk)
    {
        int from = chunk * PairsAtOnce, to = Math.Min(Pairs, from + PairsAtOnce);
        for (var share = 1; share < Shares; share++)
            for (var position = 0; position < WinogradTransforms.Positions; position++)
            {
                nint at = (nint)position * Pairs + from;
                FilterGradient.Add(sums + SumLength * share + at, sums + at, to - from);
            }

        ChannelPass.Run(new FilterGradientTransform(sums, dFilter, Pairs), from, to);
    }

    readonly struct ShareJob(WinogradFilterGradient gradient) : IChunkedJob
    {
        public void Run(int chunk) => gradient.RunShare(chunk);
    }

    readonly struct FinishJob(WinogradFilterGradient gradient) : IChunkedJob
    {
        public void Run(int chunk) => gradient.Finish(chunk);
    }
}
