using System.Numerics;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// The taps and output pixels from which an input pixel gets its gradient:
///   dx[h] = sum over kh of dy[(h + padding - kh dilation) / stride] filter[kh], over the kh for which the division is exact.
/// These taps depend only on (h + padding) mod stride. Pixels that agree in it along both axes form a class. Within
/// a class the gradient is a convolution of stride 1 with a part of the filter, so the zeros between strides are not multiplied. A 3x3 filter
/// of stride 2 has four classes with 4, 2, 2 and 1 taps.
/// </summary>
readonly struct GradientWindows
{
    readonly FastDivisor classHeights, classWidths, acrossMost, acrossLess;
    readonly int height, width, kernelHeight, stride, padding, dilation;

    public GradientWindows(ConvGeometry geometry)
    {
        var window = geometry.Window;
        (height, width, kernelHeight, KernelWidth) = (geometry.Height, geometry.Width, window.Height, window.Width);
        (stride, padding, dilation) = (window.Stride, window.Padding, window.Dilation);
        (OutHeight, OutWidth, Channels) = (geometry.OutHeight, geometry.OutWidth, new FastDivisor(geometry.OutChannels));
        (classHeights, classWidths) = (new FastDivisor((height + stride - 1) / stride), new FastDivisor((width + stride - 1) / stride));

        // kh dilation = r (mod stride) has one solution in every stride / gcd taps, or none.
        var common = (int)BigInteger.GreatestCommonDivisor(stride, dilation);
        (TapStep, Spacing) = (stride / common, dilation / common);
        var most = (KernelWidth + TapStep - 1) / TapStep;
        (acrossMost, acrossLess) = (new FastDivisor(most), new FastDivisor(Math.Max(1, most - 1)));
        Classes = (int)Math.Min(int.MaxValue, (long)stride * stride);
        Pixels = geometry.Batch * classHeights.Divisor * classWidths.Divisor;
        MostTaps = (kernelHeight + TapStep - 1) / TapStep * most;
    }

    public readonly int OutHeight, OutWidth, KernelWidth;

    public readonly FastDivisor Channels;

    /// <summary>The distance from one tap of a class to its next tap, and the distance of the output pixels that they read.</summary>
    public readonly int TapStep, Spacing;

    /// <summary>The number of classes, the pixels of the largest class, and the largest number of taps of a class.</summary>
    public readonly int Classes, Pixels, MostTaps;

    /// <summary>The class of a batch. If there is only one class, batches are slices of it.</summary>
    public ResidueClass Class(int batch)
    {
        var number = Classes == 1 ? 0 : batch;
        var row = number / stride;
        ResidueAxis rows = Along(row, kernelHeight), columns = Along(number - row * stride, KernelWidth);
        return new ResidueClass(rows, columns, columns.Taps == acrossMost.Divisor ? acrossMost : acrossLess);
    }

    /// <summary>A pixel's position within its class.</summary>
    public Place Split(int pixel)
    {
        int line = classWidths.Divide(pixel), image = classHeights.Divide(line);
        return new Place(image, classHeights.Rest(line, image), classWidths.Rest(pixel, line), 0);
    }

    /// <summary>Whether a pixel lies in the image. Classes have different sizes, so the last pixels of the smaller classes lie outside.</summary>
    public bool Contains(Place pixel, ResidueClass pixels) =>
        pixel.Image * classHeights.Divisor * classWidths.Divisor < Pixels && pixels.Rows.First + pixel.Row * stride < height && pixels.Columns.First + pixel.Column * stride < width;

    /// <summary>The pixel's number in the image batch.</summary>
    public int Pixel(Place pixel, ResidueClass pixels) =>
        (pixel.Image * height + pixels.Rows.First + pixel.Row * stride) * width + pixels.Columns.First + pixel.Column * stride;

    ResidueAxis Along(int residue, int taps)
    {
        int first = (residue + padding * (stride - 1)) % stride, tap = 0;
        while (tap < TapStep && tap * dilation % stride != residue) tap++;
        return tap < TapStep && tap < taps
            ? new ResidueAxis(first, tap, (taps - tap + TapStep - 1) / TapStep, (first + padding - tap * dilation) / stride)
            : new ResidueAxis(first, 0, 0, 0);
    }
}

/// <summary>One axis of a class.</summary>
/// <param name="first">The first pixel of the image that belongs to the class.</param>
/// <param name="firstTap">The first tap of the class.</param>
/// <param name="taps">The number of taps of the class.</param>
/// <param name="origin">The output pixel that the first pixel reads at the first tap.</param>
readonly struct ResidueAxis(int first, int firstTap, int taps, int origin)
{
    public readonly int First = first, FirstTap = firstTap, Taps = taps, Origin = origin;
}

/// <summary>The input pixels that agree in (h + padding) mod stride and (w + padding) mod stride.</summary>
readonly struct ResidueClass(ResidueAxis rows, ResidueAxis columns, FastDivisor tapsAcross)
{
    public readonly ResidueAxis Rows = rows, Columns = columns;

    /// <summary>Divides a tap's number by the taps of a row.</summary>
    public readonly FastDivisor TapsAcross = tapsAcross;
}
