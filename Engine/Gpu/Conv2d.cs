using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Conv2d(Operand x, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        if (geometry.Groups > 1)
        {
            Each(new DirectConvolution(x.View(), filter.View(), new Taps(geometry), y.View()), y.Length);
            Finish(epilogue, y);
            return;
        }

        if (Slides(x, null, filter, geometry, epilogue, y)) return;

        int depth = TapsAndChannels(geometry, geometry.InChannels), columns = geometry.OutChannels;
        var product = new PatchesProduct<AlongSum>(PatchesOf<AlongSum>(x, geometry), new(new(filter.View()), columns, depth));
        var four = Four(x, geometry.InChannels) && Four(filter, columns);
        Multiply<PatchesProduct<AlongSum>, Patches<AlongSum>, Matrix<AcrossSum>>(product, four, (geometry.Rows, columns, depth), 1, epilogue, y);
    }

    public override void Conv2dInputGradient(Operand dy, Operand filter, ConvGeometry geometry, Operand dx)
    {
        if (Slides(dy, filter, geometry, dx)) return;

        var windows = new GradientWindows(geometry);
        if (geometry.Groups > 1 || windows.Classes > MostClasses)
        {
            Each(new DirectInputGradient(dy.View(), filter.View(), new Taps(geometry), dx.View()), dx.Length);
            return;
        }

        var product = new InputGradientProduct(new(dy.View()), new(filter.View()), geometry.InChannels, windows);
        var four = Four(dy, geometry.OutChannels) && Four(filter, geometry.OutChannels);
        Multiply<InputGradientProduct, PatchesOfGradient, FilterByInput>(product, four, (windows.Pixels, geometry.InChannels, windows.MostTaps * geometry.OutChannels), windows.Classes, default, dx);
    }

    public override void Conv2dFilterGradient(Operand x, Operand dy, ConvGeometry geometry, Operand dFilter)
    {
        if (geometry.Groups > 1)
        {
            Fold<DirectFilterGradient, float>(new DirectFilterGradient(x.View(), dy.View(), new Taps(geometry), dFilter.View()), 1, geometry.Rows, dFilter.Length);
            return;
        }

        if (Slides(x, null, dy, geometry, dFilter)) return;

        int rows = TapsAndChannels(geometry, geometry.InChannels), columns = geometry.OutChannels;
        var product = new PatchesProduct<AcrossSum>(PatchesOf<AcrossSum>(x, geometry), new(new(dy.View()), columns, geometry.Rows));
        var four = Four(x, geometry.InChannels) && Four(dy, columns);
        Multiply<PatchesProduct<AcrossSum>, Patches<AcrossSum>, Matrix<AcrossSum>>(product, four, (rows, columns, geometry.Rows), 1, default, dFilter);
    }

    // The largest number of groups that a grid has along z.
    const int MostClasses = 65535;

    static Patches<TDirection> PatchesOf<TDirection>(Operand x, ConvGeometry geometry) where TDirection : struct, IDirection =>
        new(new(x.View()), new Windows(new PoolGeometry(geometry.Batch, geometry.Height, geometry.Width, geometry.InChannels, geometry.Window)), geometry.Rows);

    static int TapsAndChannels(ConvGeometry geometry, int channels) => geometry.Window.Height * geometry.Window.Width * channels;
}

/// <summary>A convolution's windows, filter places and groups.</summary>
readonly struct Taps(ConvGeometry geometry)
{
    public readonly int InChannels = geometry.InChannels, OutChannels = geometry.OutChannels;

    /// <summary>The channels of one group.</summary>
    public readonly int GroupIn = geometry.InChannels / geometry.Groups, GroupOut = geometry.OutChannels / geometry.Groups;

    /// <summary>The windows for one channel: an index into the input or output, divided by its channels, is a pixel here.</summary>
    public readonly Windows Pixels = new(new PoolGeometry(geometry.Batch, geometry.Height, geometry.Width, 1, geometry.Window));

    public readonly FastDivisor Ins = new(geometry.InChannels), Outs = new(geometry.OutChannels);

    public int Filter(int kh, int kw, int ci, int co) => ((kh * Pixels.KernelWidth + kw) * GroupIn + ci) * OutChannels + co;
}

/// <summary>y[n, oh, ow, co] = sum over kh, kw, ci of x filter, one element per thread; used for grouped convolutions, and as an oracle.</summary>
readonly struct DirectConvolution(ArrayView<float> x, ArrayView<float> filter, Taps taps, ArrayView<float> y) : IPointwise<float>
{
    public float Compute(int i)
    {
        var pixel = taps.Outs.Divide(i);
        var co = i - pixel * taps.OutChannels;
        var output = taps.Pixels.Output(pixel);
        var firstIn = co / taps.GroupOut * taps.GroupIn;
        var sum = 0f;
        for (var kh = 0; kh < taps.Pixels.KernelHeight; kh++)
            for (var kw = 0; kw < taps.Pixels.KernelWidth; kw++)
            {
                var from = taps.Pixels.InputOf(output, kh, kw);
                if (from < 0) continue;
                for (var ci = 0; ci < taps.GroupIn; ci++) sum += x[from * taps.InChannels + firstIn + ci] * filter[taps.Filter(kh, kw, ci, co)];
            }

        return sum;
    }

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>dx[n, h, w, ci] = sum of dy filter over the taps and co that read the element.</summary>
readonly struct DirectInputGradient(ArrayView<float> dy, ArrayView<float> filter, Taps taps, ArrayView<float> dx) : IPointwise<float>
{
    public float Compute(int i)
    {
        var pixel = taps.Ins.Divide(i);
        var channel = i - pixel * taps.InChannels;
        var input = taps.Pixels.Input(pixel);
        var group = channel / taps.GroupIn;
        int ci = channel - group * taps.GroupIn, firstOut = group * taps.GroupOut;
        var sum = 0f;
        for (var kh = 0; kh < taps.Pixels.KernelHeight; kh++)
            for (var kw = 0; kw < taps.Pixels.KernelWidth; kw++)
            {
                var to = taps.Pixels.OutputOf(input, kh, kw);
                if (to < 0) continue;
                for (var co = firstOut; co < firstOut + taps.GroupOut; co++) sum += dy[to * taps.OutChannels + co] * filter[taps.Filter(kh, kw, ci, co)];
            }

        return sum;
    }

    public void Store(int i, float value) => dx[i] = value;
}

/// <summary>dFilter[kh, kw, ci, co] = sum over output pixels of x dy: a fold whose rows are pixels and whose columns are filter elements.</summary>
readonly struct DirectFilterGradient(ArrayView<float> x, ArrayView<float> dy, Taps taps, ArrayView<float> dFilter) : IFold<float>
{
    readonly FastDivisor ins = new(taps.GroupIn), widths = new(taps.Pixels.KernelWidth);

    public static float Identity => 0f;

    public static float Combine(float a, float b) => a + b;

    public float Of(int row, int index, int column)
    {
        var tapAndIn = taps.Outs.Divide(column);
        var co = column - tapAndIn * taps.OutChannels;
        var tap = ins.Divide(tapAndIn);
        var ci = tapAndIn - tap * taps.GroupIn + co / taps.GroupOut * taps.GroupIn;
        var kh = widths.Divide(tap);
        var from = taps.Pixels.InputOf(taps.Pixels.Output(row), kh, tap - kh * taps.Pixels.KernelWidth);
        return from < 0 ? 0f : x[from * taps.InChannels + ci] * dy[row * taps.OutChannels + co];
    }

    public void Store(int column, float total) => dFilter[column] = total;
}
