namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    // Floor: MultiplyAdds over the FMA peak. Each output band is computed, and its epilogue applied, while it is in L1.
    public override void Conv2d(Operand x, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        // A sum over no channels is a product of depth 0, for any window.
        if (geometry.InChannels == 0 || geometry.Rows == 0 || geometry.OutChannels == 0 || IsMatrixProduct(geometry))
        {
            MatMul(x, filter, new MatMulGeometry(1, geometry.Rows, geometry.OutChannels, geometry.InChannels, false, false, 0, 0), epilogue, y);
            return;
        }

        if (WinogradTransforms.SuitsForward(geometry))
        {
            WinogradCorrelation.Forward(x, filter, geometry, EpilogueKernel.Of(epilogue, geometry.OutChannels), y);
            return;
        }

        if (DepthMultiplier.Applies(geometry))
        {
            using var repeated = DepthMultiplier.Repeated(x, geometry);
            Conv2d(repeated, filter, DepthMultiplier.OfRepeated(geometry), epilogue, y);
            return;
        }

        var window = geometry.Window;
        var inputs = geometry.InChannels / geometry.Groups;
        var taps = new Tap[window.Height * window.Width];
        for (var t = 0; t < taps.Length; t++)
            taps[t] = new Tap(t / window.Width * window.Dilation - window.Padding, t % window.Width * window.Dilation - window.Padding);

        var tiles = TilesOfGroups(geometry);
        var filters = new Panels[tiles is null ? geometry.Groups : 1];
        var columns = geometry.OutChannels / filters.Length;
        for (var g = 0; g < filters.Length; g++)
            filters[g] = FilterPanels(filter, new PanelSource((nint)(filter.Pointer() + g * columns), [0], taps.Length * inputs, geometry.OutChannels, 1), columns, tiles, geometry);

        new Correlation
        {
            X = x.Pointer(), Batch = geometry.Batch, Height = geometry.Height, Width = geometry.Width, Channels = geometry.InChannels, Groups = geometry.Groups,
            Grids = [new Grid(taps, filters, geometry.OutHeight, geometry.OutWidth, 0)], Stride = window.Stride,
            Y = y.Pointer(), OutChannels = geometry.OutChannels, PixelStep = geometry.OutChannels, RowStep = (nint)geometry.OutWidth * geometry.OutChannels,
            ImageStep = (nint)geometry.OutHeight * geometry.OutWidth * geometry.OutChannels, Epilogue = EpilogueKernel.Of(epilogue, geometry.OutChannels),
        }.Run();
    }

    // With fewer pixels, packing a large filter takes as long as about a tenth of the products. So the packed form of an unchanged filter is kept.
    const int PixelsForKeptFilter = 512;

    static Panels FilterPanels(Operand filter, PanelSource source, int columns, Tile[]? tiles, ConvGeometry geometry)
    {
        var kept = geometry.Groups == 1 && geometry.Rows <= PixelsForKeptFilter && Correlation.IsLarge(source.Depth, columns)
            ? filter.Storage.Arranged(new ArrangedForm("panels", filter.Offset, source.Depth, columns), () => Panels.Packed(source, columns)) : null;
        return kept is null ? new Panels(source, columns, geometry.Rows, tiles) : new Panels(source.Depth, columns, kept);
    }

    // The tiles that multiply all narrow groups together; null if each group is a product of its own.
    internal static Tile[]? TilesOfGroups(ConvGeometry geometry) => geometry.Groups == 1 ? null : Tile.OfGroups(geometry.InChannels / geometry.Groups, geometry.OutChannels / geometry.Groups);

    // A 1x1 window that visits every pixel.
    static bool IsMatrixProduct(ConvGeometry geometry) =>
        geometry is { Groups: 1, Window: { Height: 1, Width: 1, Stride: 1, Padding: 0 } };
}
