namespace QuadEngine.Gpu;

/// <summary>
/// The windows of an image as a matrix, [output pixel, (kh, kw, ci)]. Adjacent elements are channels. They lie along the sum of a convolution, where outer is
/// the pixel, and across the sum of the filter gradient, where the pixel is k.
/// </summary>
readonly struct Patches<TDirection>(Source x, Windows windows, int pixels) : IOperand where TDirection : struct, IDirection
{
    readonly FastDivisor channels = new(windows.Channels), widths = new(windows.KernelWidth);

    public static bool AlongK => TDirection.AlongK;

    public Source Memory => x;

    public Coordinate Outer(int outer) => TDirection.AlongK ? Pixel(outer) : Tap(outer);

    public Coordinate Term(int k) => TDirection.AlongK ? Tap(k) : Pixel(k);

    public int Index(Coordinate outer, Coordinate term) => outer.With(term, windows.Height, windows.Width);

    Coordinate Pixel(int number)
    {
        if (number >= pixels) return Coordinate.Nowhere;
        var pixel = windows.OutputPixel(number);
        int row = pixel.Row * windows.Stride - windows.Padding, column = pixel.Column * windows.Stride - windows.Padding;
        return new Coordinate(((pixel.Image * windows.Height + row) * windows.Width + column) * windows.Channels, row, column);
    }

    Coordinate Tap(int number)
    {
        int tap = channels.Divide(number), kh = widths.Divide(tap);
        if (kh >= windows.KernelHeight) return Coordinate.Nowhere;
        int row = kh * windows.Dilation, column = widths.Rest(tap, kh) * windows.Dilation;
        return new Coordinate((row * windows.Width + column) * windows.Channels + channels.Rest(number, tap), row, column);
    }
}

/// <summary>The output pixels whose windows contain an input pixel of a class: outer is the pixel's number in the class, k = (tap of the class, co).</summary>
readonly struct PatchesOfGradient(Source dy, GradientWindows windows, ResidueClass pixels) : IOperand
{
    public static bool AlongK => true;

    public Source Memory => dy;

    /// <summary>The length of the class's sums.</summary>
    public int Depth => pixels.Rows.Taps * pixels.Columns.Taps * windows.Channels.Divisor;

    /// <summary>A pixel's number in the images, or -1 if the class has no such pixel, because all classes are treated as if they were as large as the largest.</summary>
    public int Pixel(int outer)
    {
        var pixel = windows.Split(outer);
        return windows.Contains(pixel, pixels) ? windows.Pixel(pixel, pixels) : -1;
    }

    public Coordinate Outer(int outer)
    {
        var pixel = windows.Split(outer);
        if (!windows.Contains(pixel, pixels)) return Coordinate.Nowhere;
        int row = pixels.Rows.Origin + pixel.Row, column = pixels.Columns.Origin + pixel.Column;
        return new Coordinate(((pixel.Image * windows.OutHeight + row) * windows.OutWidth + column) * windows.Channels.Divisor, row, column);
    }

    public Coordinate Term(int k)
    {
        int tap = windows.Channels.Divide(k), tapRow = pixels.TapsAcross.Divide(tap);
        if (tapRow >= pixels.Rows.Taps) return Coordinate.Nowhere;
        int row = -tapRow * windows.Spacing, column = -pixels.TapsAcross.Rest(tap, tapRow) * windows.Spacing;
        return new Coordinate((row * windows.OutWidth + column) * windows.Channels.Divisor + windows.Channels.Rest(k, tap), row, column);
    }

    public int Index(Coordinate outer, Coordinate term) => outer.With(term, windows.OutHeight, windows.OutWidth);
}

/// <summary>A filter as the input gradient of a class needs it: outer is ci, k = (tap of the class, co).</summary>
readonly struct FilterByInput(Source filter, int inChannels, GradientWindows windows, ResidueClass pixels) : IOperand
{
    public static bool AlongK => true;

    public Source Memory => filter;

    public Coordinate Outer(int outer) => outer < inChannels ? new(outer * windows.Channels.Divisor, 0, 0) : Coordinate.Nowhere;

    public Coordinate Term(int k)
    {
        int tap = windows.Channels.Divide(k), tapRow = pixels.TapsAcross.Divide(tap);
        if (tapRow >= pixels.Rows.Taps) return Coordinate.Nowhere;
        int kh = pixels.Rows.FirstTap + tapRow * windows.TapStep, kw = pixels.Columns.FirstTap + pixels.TapsAcross.Rest(tap, tapRow) * windows.TapStep;
        return new Coordinate((kh * windows.KernelWidth + kw) * inChannels * windows.Channels.Divisor + windows.Channels.Rest(k, tap), 0, 0);
    }

    public int Index(Coordinate outer, Coordinate term) => outer.With(term);
}
