using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>Four neighbours in memory, read and written at once.</summary>
readonly struct Quad(float x, float y, float z, float w)
{
    public readonly float X = x, Y = y, Z = z, W = w;
}

/// <summary>What the loads of one row (or column) of an operand have in common, worked out once a tile.</summary>
readonly struct Line(int origin, int row, int column)
{
    public readonly int Origin = origin, Row = row, Column = column;
}

/// <summary>
/// An operand of a product, [outer, k], wherever its elements lie: in a matrix, or in the windows of an image that a convolution
/// multiplies as if they were a matrix (implicit GEMM). Four elements are neighbours either along k or along the outer axis.
/// </summary>
interface IOperand
{
    static abstract bool AlongK { get; }

    ArrayView<float> Elements { get; }

    Line Locate(int outer);

    /// <summary>Where the element lies that is <paramref name="step"/> after (outer, k) along the neighbours, or -1 where it is 0.</summary>
    int Index(Line line, int k, int step);
}

/// <summary>Whether neighbours are read four at a time: their number and the addresses must be divisible by 4.</summary>
interface IWidth
{
    static abstract bool Four { get; }
}

readonly struct Vector : IWidth
{
    public static bool Four => true;
}

readonly struct Scalars : IWidth
{
    public static bool Four => false;
}

/// <summary>A direction, as a type.</summary>
interface IDirection
{
    static abstract bool AlongK { get; }
}

readonly struct AlongSum : IDirection
{
    public static bool AlongK => true;
}

readonly struct AcrossSum : IDirection
{
    public static bool AlongK => false;
}

/// <summary>A matrix in memory: [outer, depth] where neighbours lie along k, else [depth, outer].</summary>
readonly struct Matrix<TDirection>(ArrayView<float> elements, int outers, int depth) : IOperand where TDirection : struct, IDirection
{
    public static bool AlongK => TDirection.AlongK;

    public ArrayView<float> Elements => elements;

    public Line Locate(int outer) => new(TDirection.AlongK ? outer * depth : outer, outer, 0);

    public int Index(Line line, int k, int step)
    {
        if (TDirection.AlongK) return line.Row < outers && k + step < depth ? line.Origin + k + step : -1;
        return line.Row + step < outers && k < depth ? line.Origin + k * outers + step : -1;
    }

    /// <summary>One matrix of a batch.</summary>
    public Matrix<TDirection> From(int offset) => new(elements.SubView(offset), outers, depth);
}

/// <summary>The windows of an image: outer is an output pixel, k = (kh, kw, ci).</summary>
readonly struct Patches(ArrayView<float> x, Windows windows, int pixels) : IOperand
{
    readonly FastDivisor channels = new(windows.Channels), widths = new(windows.KernelWidth);

    public static bool AlongK => true;

    public ArrayView<float> Elements => x;

    public Line Locate(int outer)
    {
        var pixel = windows.Output(outer * windows.Channels);
        return new Line(pixel.Image * windows.Height, outer < pixels ? pixel.Row * windows.Stride - windows.Padding : int.MinValue / 2, pixel.Column * windows.Stride - windows.Padding);
    }

    public int Index(Line line, int k, int step)
    {
        k += step;
        int tap = channels.Divide(k), kh = widths.Divide(tap);
        int h = line.Row + kh * windows.Dilation, w = line.Column + (tap - kh * windows.KernelWidth) * windows.Dilation;
        return kh < windows.KernelHeight && h >= 0 && h < windows.Height && w >= 0 && w < windows.Width
            ? ((line.Origin + h) * windows.Width + w) * windows.Channels + k - tap * windows.Channels
            : -1;
    }
}

/// <summary>The output pixels whose windows hold an input pixel: outer is the input pixel, k = (kh, kw, co).</summary>
readonly struct PatchesOfGradient(ArrayView<float> dy, Windows windows, int outChannels, int pixels) : IOperand
{
    readonly FastDivisor channels = new(outChannels), widths = new(windows.KernelWidth), strides = new(windows.Stride);

    public static bool AlongK => true;

    public ArrayView<float> Elements => dy;

    public Line Locate(int outer)
    {
        var pixel = windows.Input(outer * windows.Channels);
        return new Line(pixel.Image * windows.OutHeight, outer < pixels ? pixel.Row + windows.Padding : int.MinValue / 2, pixel.Column + windows.Padding);
    }

    public int Index(Line line, int k, int step)
    {
        k += step;
        int tap = channels.Divide(k), kh = widths.Divide(tap);
        int h = line.Row - kh * windows.Dilation, w = line.Column - (tap - kh * windows.KernelWidth) * windows.Dilation;
        if (kh >= windows.KernelHeight || h < 0 || w < 0) return -1;
        int row = strides.Divide(h), column = strides.Divide(w);
        return row * windows.Stride == h && column * windows.Stride == w && row < windows.OutHeight && column < windows.OutWidth
            ? ((line.Origin + row) * windows.OutWidth + column) * outChannels + k - tap * outChannels
            : -1;
    }
}

/// <summary>A filter as the input gradient needs it: outer is ci, k = (kh, kw, co).</summary>
readonly struct FilterByInput(ArrayView<float> filter, int taps, int inChannels, int outChannels) : IOperand
{
    readonly FastDivisor channels = new(outChannels);

    public static bool AlongK => true;

    public ArrayView<float> Elements => filter;

    public Line Locate(int outer) => new(outer * outChannels, outer, 0);

    public int Index(Line line, int k, int step)
    {
        k += step;
        var tap = channels.Divide(k);
        return tap < taps && line.Row < inChannels ? tap * (inChannels - 1) * outChannels + line.Origin + k : -1;
    }
}

/// <summary>The windows of an image as the filter gradient needs them: outer = (kh, kw, ci), k is an output pixel.</summary>
readonly struct PatchColumns(ArrayView<float> x, Windows windows, int pixels) : IOperand
{
    readonly FastDivisor channels = new(windows.Channels), widths = new(windows.KernelWidth);

    public static bool AlongK => false;

    public ArrayView<float> Elements => x;

    public Line Locate(int outer) => new(outer, 0, 0);

    public int Index(Line line, int k, int step)
    {
        var pixel = windows.Output(k * windows.Channels);
        int outer = line.Origin + step, tap = channels.Divide(outer), kh = widths.Divide(tap);
        int h = pixel.Row * windows.Stride - windows.Padding + kh * windows.Dilation;
        int w = pixel.Column * windows.Stride - windows.Padding + (tap - kh * windows.KernelWidth) * windows.Dilation;
        return k < pixels && kh < windows.KernelHeight && h >= 0 && h < windows.Height && w >= 0 && w < windows.Width
            ? ((pixel.Image * windows.Height + h) * windows.Width + w) * windows.Channels + outer - tap * windows.Channels
            : -1;
    }
}
