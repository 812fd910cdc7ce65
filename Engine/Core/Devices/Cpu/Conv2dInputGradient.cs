namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuBackend
{
    // dx[n, h, w, ci] = sum over those kh, kw that have h + padding - kh dilation = oh stride, and likewise w, of
    // dy[n, oh, ow, co] filter[kh, kw, ci, co]. Pixels of dx with the same h mod stride and w mod stride, a phase, take part in
    // the same kh, kw; so each phase is a correlation of dy with some of the filter, transposed. Stride 1 has one phase.
    public override void Conv2dInputGradient(Tensor dy, Tensor filter, ConvGeometry geometry, Tensor dx)
    {
        if (IsMatrixProduct(geometry))
        {
            MatMul(dy, filter, new MatMulGeometry(1, geometry.Rows, geometry.InChannels, geometry.OutChannels, false, true, 0, 0), default, dx);
            return;
        }

        var stride = geometry.Window.Stride;
        for (var phaseRow = 0; phaseRow < Math.Min(stride, geometry.Height); phaseRow++)
            for (var phaseColumn = 0; phaseColumn < Math.Min(stride, geometry.Width); phaseColumn++)
                InputGradientPhase(dy, filter, geometry, phaseRow, phaseColumn, dx);
    }

    static void InputGradientPhase(Tensor dy, Tensor filter, ConvGeometry geometry, int phaseRow, int phaseColumn, Tensor dx)
    {
        var window = geometry.Window;
        int inputs = geometry.InChannels / geometry.Groups, outputs = geometry.OutChannels / geometry.Groups;

        List<Tap> taps = [];
        List<nint> places = [];
        for (var kh = window.Height - 1; kh >= 0; kh--)
        {
            for (var kw = window.Width - 1; kw >= 0; kw--)
            {
                int row = phaseRow + window.Padding - kh * window.Dilation, column = phaseColumn + window.Padding - kw * window.Dilation;
                if (row % window.Stride != 0 || column % window.Stride != 0) continue;
                taps.Add(new Tap(row / window.Stride, column / window.Stride));
                places.Add((nint)(kh * window.Width + kw) * inputs * geometry.OutChannels);
            }
        }

        int rows = (geometry.Height - phaseRow + window.Stride - 1) / window.Stride, columns = (geometry.Width - phaseColumn + window.Stride - 1) / window.Stride;
        var source = new PanelSource(0, [.. places], outputs, 1, geometry.OutChannels);
        var filters = new Panels[geometry.Groups];
        for (var g = 0; g < filters.Length; g++)
            filters[g] = new Panels(source with { Data = (nint)(filter.Pointer() + g * outputs) }, inputs, (long)geometry.Batch * rows * columns);

        new Correlation
        {
            X = dy.Pointer(), Batch = geometry.Batch, Height = geometry.OutHeight, Width = geometry.OutWidth, Channels = geometry.OutChannels,
            Taps = [.. taps], Stride = 1, Length = outputs, Filters = filters,
            Y = dx.Pointer() + ((nint)phaseRow * geometry.Width + phaseColumn) * geometry.InChannels, Rows = rows, Columns = columns, OutChannels = geometry.InChannels,
            ImageStep = (nint)geometry.Height * geometry.Width * geometry.InChannels, RowStep = (nint)window.Stride * geometry.Width * geometry.InChannels,
            PixelStep = (nint)window.Stride * geometry.InChannels,
        }.Run();
        foreach (var panels in filters) panels.Dispose();
    }
}
