using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void MaxPool(Operand x, PoolGeometry geometry, Operand y, Operand indices) =>
        Each<LargestOfWindow, Candidate>(new LargestOfWindow(x.View(), new Windows(geometry), y.View(), indices.Integers()), y.Length);

    public override void MaxPoolBackward(Operand dy, Operand indices, PoolGeometry geometry, Operand dx) =>
        Each(new LargestOfWindowGradient(dy.View(), indices.Integers(), new Windows(geometry), dx.View()), dx.Length);

    public override void AveragePool(Operand x, PoolGeometry geometry, Operand y) =>
        Each(new MeanOfWindow(x.View(), new Windows(geometry), y.View()), y.Length);

    public override void AveragePoolBackward(Operand dy, PoolGeometry geometry, Operand dx) =>
        Each(new MeanOfWindowGradient(dy.View(), new Windows(geometry), dx.View()), dx.Length);
}

/// <summary>A position in [N, H, W, C].</summary>
readonly struct Place(int image, int row, int column, int channel)
{
    public readonly int Image = image, Row = row, Column = column, Channel = channel;
}

/// <summary>Windows of a pooling over [N, H, W, C], and the conversion between input and output positions.</summary>
readonly struct Windows(PoolGeometry geometry)
{
    public readonly int Height = geometry.Height, Width = geometry.Width, OutHeight = geometry.OutHeight, OutWidth = geometry.OutWidth, Channels = geometry.Channels;

    public readonly int KernelHeight = geometry.Window.Height, KernelWidth = geometry.Window.Width;

    public readonly int Stride = geometry.Window.Stride, Padding = geometry.Window.Padding, Dilation = geometry.Window.Dilation;

    readonly FastDivisor channels = new(geometry.Channels), widths = new(geometry.Width), heights = new(geometry.Height), outWidths = new(geometry.OutWidth), outHeights = new(geometry.OutHeight);

    public Place Input(int i) => Split(i, widths, heights);

    public Place Output(int i) => Split(i, outWidths, outHeights);

    /// <summary>The position of an output pixel, at channel 0.</summary>
    public Place OutputPixel(int pixel) => Split(pixel, 0, outWidths, outHeights);

    /// <summary>The input element at a tap of the window of an output, or -1 in the padding.</summary>
    public int InputOf(Place output, int kh, int kw)
    {
        int h = output.Row * Stride + kh * Dilation - Padding, w = output.Column * Stride + kw * Dilation - Padding;
        return h >= 0 && h < Height && w >= 0 && w < Width ? ((output.Image * Height + h) * Width + w) * Channels + output.Channel : -1;
    }

    /// <summary>The output element whose window has an input at a tap, or -1 if there is none.</summary>
    public int OutputOf(Place input, int kh, int kw)
    {
        int h = input.Row + Padding - kh * Dilation, w = input.Column + Padding - kw * Dilation;
        if (h < 0 || w < 0) return -1;
        int row = h / Stride, column = w / Stride;
        return row * Stride == h && column * Stride == w && row < OutHeight && column < OutWidth
            ? ((input.Image * OutHeight + row) * OutWidth + column) * Channels + input.Channel
            : -1;
    }

    Place Split(int i, FastDivisor columns, FastDivisor rows)
    {
        var pixel = channels.Divide(i);
        return Split(pixel, channels.Rest(i, pixel), columns, rows);
    }

    static Place Split(int pixel, int channel, FastDivisor columns, FastDivisor rows)
    {
        int line = columns.Divide(pixel), image = rows.Divide(line);
        return new Place(image, rows.Rest(line, image), columns.Rest(pixel, line), channel);
    }
}

/// <summary>The largest element of each window and its index within the image plane; of equal elements the first; -infinity and -1 if all elements are padding.</summary>
readonly struct LargestOfWindow(ArrayView<float> x, Windows windows, ArrayView<float> y, ArrayView<int> indices) : IPointwise<Candidate>
{
    public Candidate Compute(int i)
    {
        var output = windows.Output(i);
        var best = new Candidate(float.NegativeInfinity, -1);
        for (var kh = 0; kh < windows.KernelHeight; kh++)
            for (var kw = 0; kw < windows.KernelWidth; kw++)
            {
                var from = windows.InputOf(output, kh, kw);
                if (from < 0) continue;
                var value = x[from];
                if (best.Index < 0 || value > best.Value || float.IsNaN(value) && !float.IsNaN(best.Value)) best = new Candidate(value, from);
            }

        if (best.Index < 0) return best;
        var place = windows.Input(best.Index);
        return new Candidate(best.Value, place.Row * windows.Width + place.Column);
    }

    public void Store(int i, Candidate value)
    {
        y[i] = value.Value;
        indices[i] = value.Index;
    }
}

/// <summary>Each input adds up the gradients of the windows that chose it, in the order of the taps, so no atomics are needed.</summary>
readonly struct LargestOfWindowGradient(ArrayView<float> dy, ArrayView<int> indices, Windows windows, ArrayView<float> dx) : IPointwise<float>
{
    public float Compute(int i)
    {
        var input = windows.Input(i);
        var (own, sum) = (input.Row * windows.Width + input.Column, 0f);
        for (var kh = 0; kh < windows.KernelHeight; kh++)
            for (var kw = 0; kw < windows.KernelWidth; kw++)
            {
                var to = windows.OutputOf(input, kh, kw);
                if (to >= 0 && indices[to] == own) sum += dy[to];
            }

        return sum;
    }

    public void Store(int i, float value) => dx[i] = value;
}

/// <summary>The sum over each window divided by its size, padding counts as zeros.</summary>
readonly struct MeanOfWindow(ArrayView<float> x, Windows windows, ArrayView<float> y) : IPointwise<float>
{
    public float Compute(int i)
    {
        var output = windows.Output(i);
        var sum = 0f;
        for (var kh = 0; kh < windows.KernelHeight; kh++)
            for (var kw = 0; kw < windows.KernelWidth; kw++)
            {
                var from = windows.InputOf(output, kh, kw);
                if (from >= 0) sum += x[from];
            }

        return sum / (windows.KernelHeight * windows.KernelWidth);
    }

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>Each input adds up its part of the gradients of all windows that contain it.</summary>
readonly struct MeanOfWindowGradient(ArrayView<float> dy, Windows windows, ArrayView<float> dx) : IPointwise<float>
{
    public float Compute(int i)
    {
        var input = windows.Input(i);
        var sum = 0f;
        for (var kh = 0; kh < windows.KernelHeight; kh++)
            for (var kw = 0; kw < windows.KernelWidth; kw++)
            {
                var to = windows.OutputOf(input, kh, kw);
                if (to >= 0) sum += dy[to];
            }

        return sum / (windows.KernelHeight * windows.KernelWidth);
    }

    public void Store(int i, float value) => dx[i] = value;
}
