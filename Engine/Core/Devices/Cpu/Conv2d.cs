namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    // Floor: MultiplyAdds over the FMA peak. Each output band is computed, and its epilogue applied, while it is in L1.
    public override void Conv2d(Tensor x, Tensor filter, ConvGeometry geometry, in Epilogue epilogue, Tensor y)
    {
        if (IsMatrixProduct(geometry))
        {
            MatMul(x, filter, new MatMulGeometry(1, geometry.Rows, geometry.OutChannels, geometry.InChannels, false, false, 0, 0), epilogue, y);
            return;
        }

        var window = geometry.Window;
        int inputs = geometry.InChannels / geometry.Groups, outputs = geometry.OutChannels / geometry.Groups;

        // Neighbouring columns of the window are neighbours in memory: one long segment a row.
        var whole = geometry.Groups == 1 && window.Dilation == 1;
        var taps = new Tap[window.Height * (whole ? 1 : window.Width)];
        for (var t = 0; t < taps.Length; t++)
            taps[t] = new Tap(t * window.Height / taps.Length * window.Dilation - window.Padding, t % (taps.Length / window.Height) * window.Dilation - window.Padding);

        var length = whole ? window.Width * inputs : inputs;
        var source = new PanelSource(0, [0], taps.Length * length, geometry.OutChannels, 1);
        var filters = new Panels[geometry.Groups];
        for (var g = 0; g < filters.Length; g++) filters[g] = new Panels(source with { Data = (nint)(filter.Pointer() + g * outputs) }, outputs, geometry.Rows);

        new Correlation
        {
            X = x.Pointer(), Batch = geometry.Batch, Height = geometry.Height, Width = geometry.Width, Channels = geometry.InChannels,
            Taps = taps, Stride = window.Stride, Length = length, Filters = filters,
            Y = y.Pointer(), Rows = geometry.OutHeight, Columns = geometry.OutWidth, OutChannels = geometry.OutChannels,
            ImageStep = (nint)geometry.OutHeight * geometry.OutWidth * geometry.OutChannels, RowStep = (nint)geometry.OutWidth * geometry.OutChannels,
            PixelStep = geometry.OutChannels, Epilogue = EpilogueKernel.Of(epilogue, geometry.OutChannels),
        }.Run();
        foreach (var panels in filters) panels.Dispose();
    }

    // A 1x1 window that visits every pixel.
    static bool IsMatrixProduct(ConvGeometry geometry) =>
        geometry is { Groups: 1, Window: { Height: 1, Width: 1, Stride: 1, Padding: 0 } };
}
