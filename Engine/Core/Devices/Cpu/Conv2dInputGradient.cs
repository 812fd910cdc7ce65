namespace QuadEngine.Devices.Cpu;

sealed unsafe partial class CpuKernels
{
    // dx[n, h, w, ci] = sum over the kh, kw with h + padding - kh dilation = oh stride, and likewise for w, of
    // dy[n, oh, ow, co] filter[kh, kw, ci, co]. Pixels of dx with the same h mod stride and w mod stride use the same
    // kh, kw. Each such grid is a correlation of dy with a part of the filter, transposed. Stride 1 has one grid.
    public override void Conv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx)
    {
        if (geometry.OutChannels == 0) Fill(dx, 0f);
        if (geometry.OutChannels == 0 || dx.Shape.Elements == 0) return;
        if (IsMatrixProduct(geometry))
        {
            MatMul(dy, filter, new MatMulGeometry(1, geometry.Rows, geometry.InChannels, geometry.OutChannels, false, true, 0, 0), default, dx);
            return;
        }

        if (WinogradTransforms.Suits(geometry))
        {
            WinogradCorrelation.InputGradient(dy, filter, geometry, dx);
            return;
        }

        if (DepthMultiplier.Applies(geometry))
        {
            using var ofRepeated = DepthMultiplier.Empty(geometry);
            Conv2dInputGradient(dy, filter, DepthMultiplier.OfRepeated(geometry), ofRepeated);
            DepthMultiplier.AddCopies(ofRepeated, geometry, dx);
            return;
        }

        int stride = geometry.Window.Stride, rowStep = geometry.Width * geometry.InChannels;
        var grids = from row in Enumerable.Range(0, Math.Min(stride, geometry.Height))
                    from column in Enumerable.Range(0, Math.Min(stride, geometry.Width))
                    select InputGradientGrid(filter, geometry, row, column);
        new Correlation
        {
            X = dy.Pointer(), Batch = geometry.Batch, Height = geometry.OutHeight, Width = geometry.OutWidth, Channels = geometry.OutChannels, Groups = geometry.Groups,
            Grids = [.. grids], Stride = 1,
            Y = dx.Pointer(), OutChannels = geometry.InChannels, PixelStep = stride * geometry.InChannels, RowStep = stride * (nint)rowStep,
            ImageStep = geometry.Height * (nint)rowStep,
        }.Run();
    }

    static Grid InputGradientGrid(Operand filter, ConvGeometry geometry, int row, int column)
    {
        var window = geometry.Window;
        int inputs = geometry.InChannels / geometry.Groups, outputs = geometry.OutChannels / geometry.Groups;
        int rows = (geometry.Height - row + window.Stride - 1) / window.Stride, columns = (geometry.Width - column + window.Stride - 1) / window.Stride;

        List<Tap> taps = [];
        List<nint> places = [];
        for (var kh = window.Height - 1; kh >= 0; kh--)
        {
            for (var kw = window.Width - 1; kw >= 0; kw--)
            {
                int oh = row + window.Padding - kh * window.Dilation, ow = column + window.Padding - kw * window.Dilation;
                if (oh % window.Stride != 0 || ow % window.Stride != 0) continue;
                taps.Add(new Tap(oh / window.Stride, ow / window.Stride));
                places.Add((nint)(kh * window.Width + kw) * inputs * geometry.OutChannels);
            }
        }

        Panels OfGroup(int g) =>
            new(new PanelSource((nint)(filter.Pointer() + g * outputs), [.. places], outputs, 1, geometry.OutChannels), inputs, (long)geometry.Batch * rows * columns);

        Panels[] filters = TilesOfGroups(geometry) is { } tiles ? [TransposedGroups(filter, geometry, places, tiles)] : [.. Enumerable.Range(0, geometry.Groups).Select(OfGroup)];
        return new Grid([.. taps], filters, rows, columns, ((nint)row * geometry.Width + column) * geometry.InChannels);
    }

    // Row (tap, co of a group) and column ci of the filter for all groups: filter[tap, ci in its group, co of its group].
    static Panels TransposedGroups(Operand filter, ConvGeometry geometry, List<nint> places, Tile[] tiles)
    {
        int size = geometry.InChannels / geometry.Groups, depth = places.Count * size;
        var memory = Panels.Allocate(depth, geometry.InChannels, tiles);
        var panels = new Panels(depth, geometry.InChannels, memory, tiles);
        foreach (var panel in panels.All)
        {
            var target = new Span<float>((float*)panel.Data, depth * panel.Tile.Columns);
            target.Clear();
            for (var k = 0; k < depth; k++)
            {
                float* tap = filter.Pointer() + places[k / size];
                for (var c = 0; c < panel.Width; c++)
                {
                    var channel = panel.Column + c;
                    target[k * panel.Tile.Columns + c] = tap[(nint)(channel % size) * geometry.OutChannels + channel / size * size + k % size];
                }
            }
        }

        return panels;
    }
}
