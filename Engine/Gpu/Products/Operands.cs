using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>Four neighbours in memory, read and written at once.</summary>
readonly struct Quad(float x, float y, float z, float w)
{
    public readonly float X = x, Y = y, Z = z, W = w;

    /// <summary>Writes the four to a thread's own array.</summary>
    public void Spread(float[] values, int at)
    {
        values[at] = X;
        values[at + 1] = Y;
        values[at + 2] = Z;
        values[at + 3] = W;
    }
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

    Source Memory { get; }

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

/// <summary>A matrix in memory, from an element on: [outer, depth] where neighbours lie along k, else [depth, outer].</summary>
readonly struct Matrix<TDirection>(Source elements, int outers, int depth, int offset = 0) : IOperand where TDirection : struct, IDirection
{
    public static bool AlongK => TDirection.AlongK;

    public Source Memory => elements;

    public Line Locate(int outer) => new(offset + (TDirection.AlongK ? outer * depth : outer), outer, 0);

    public int Index(Line line, int k, int step)
    {
        if (TDirection.AlongK) return line.Row < outers && k + step < depth ? line.Origin + k + step : -1;
        return line.Row + step < outers && k < depth ? line.Origin + k * outers + step : -1;
    }

    /// <summary>One matrix of a batch. A part of the view would do too, but ILGPU no longer knows it to be aligned and reads it float by float.</summary>
    public Matrix<TDirection> From(int first) => new(elements, outers, depth, first);
}

/// <summary>The windows of an image: outer is an output pixel, k = (kh, kw, ci).</summary>
readonly struct Patches(Source x, Windows windows, int pixels) : IOperand
{
    readonly FastDivisor channels = new(windows.Channels), widths = new(windows.KernelWidth);

    public static bool AlongK => true;

    public Source Memory => x;

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

/// <summary>The output pixels whose windows hold an input pixel of a class: outer is the pixel's number in the class, k = (tap of the class, co).</summary>
readonly struct PatchesOfGradient(Source dy, GradientWindows windows, ResidueClass pixels) : IOperand
{
    public static bool AlongK => true;

    public Source Memory => dy;

    /// <summary>The length of the class's sums.</summary>
    public int Depth => pixels.Rows.Taps * pixels.Columns.Taps * windows.Channels.Divisor;

    /// <summary>A pixel's number in the images, or -1 where the class, all being as large as the largest, has none.</summary>
    public int Pixel(int outer)
    {
        var pixel = windows.Split(outer);
        return windows.Contains(pixel, pixels) ? windows.Pixel(pixel, pixels) : -1;
    }

    public Line Locate(int outer)
    {
        var pixel = windows.Split(outer);
        return new Line(pixel.Image * windows.OutHeight, windows.Contains(pixel, pixels) ? pixels.Rows.Origin + pixel.Row : int.MinValue / 2, pixels.Columns.Origin + pixel.Column);
    }

    public int Index(Line line, int k, int step)
    {
        k += step;
        int tap = windows.Channels.Divide(k), tapRow = pixels.TapsAcross.Divide(tap);
        int row = line.Row - tapRow * windows.Spacing, column = line.Column - (tap - tapRow * pixels.TapsAcross.Divisor) * windows.Spacing;
        return tapRow < pixels.Rows.Taps && row >= 0 && row < windows.OutHeight && column >= 0 && column < windows.OutWidth
            ? ((line.Origin + row) * windows.OutWidth + column) * windows.Channels.Divisor + windows.Channels.Rest(k, tap)
            : -1;
    }
}

/// <summary>A filter as the input gradient of a class needs it: outer is ci, k = (tap of the class, co).</summary>
readonly struct FilterByInput(Source filter, int inChannels, GradientWindows windows, ResidueClass pixels) : IOperand
{
    public static bool AlongK => true;

    public Source Memory => filter;

    public Line Locate(int outer) => new(outer * windows.Channels.Divisor, outer, 0);

    public int Index(Line line, int k, int step)
    {
        k += step;
        int tap = windows.Channels.Divide(k), tapRow = pixels.TapsAcross.Divide(tap);
        int kh = pixels.Rows.FirstTap + tapRow * windows.TapStep, kw = pixels.Columns.FirstTap + (tap - tapRow * pixels.TapsAcross.Divisor) * windows.TapStep;
        return tapRow < pixels.Rows.Taps && line.Row < inChannels
            ? (kh * windows.KernelWidth + kw) * inChannels * windows.Channels.Divisor + line.Origin + windows.Channels.Rest(k, tap)
            : -1;
    }
}

/// <summary>The windows of an image as the filter gradient needs them: outer = (kh, kw, ci), k is an output pixel.</summary>
readonly struct PatchColumns(Source x, Windows windows, int pixels) : IOperand
{
    readonly FastDivisor channels = new(windows.Channels), widths = new(windows.KernelWidth);

    public static bool AlongK => false;

    public Source Memory => x;

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
