using System.Runtime.InteropServices;

namespace QuadEngine.Data;

/// <summary>Converts planes of samples to pixels. Components with fewer samples are interpolated as in libjpeg (with weights 3/4 and 1/4 for half the samples), then the colors are computed.</summary>
static class JpegPixels
{
    const int FractionBits = 16, Half = 1 << (FractionBits - 1), Gray = 128;

    // The weights of Cr in red, of Cb in blue, and of Cr and Cb in green (T.871), times 2^16.
    const int RedOfCr = 91881, BlueOfCb = 116130, GreenOfCr = 46802, GreenOfCb = 22554;

    /// <summary>Returns the picture of a frame after all its scans were read.</summary>
    public static Picture Of(JpegFrame frame, JpegColors colours)
    {
        if (frame.Progressive)
            foreach (var component in frame.Components) Transform(component);

        var (height, width) = (frame.Height, frame.Width);
        var channels = colours == JpegColors.Gray ? 1 : 3;
        var pixels = new byte[height * width * channels];
        var rows = new byte[frame.Components.Length][];
        for (var i = 0; i < rows.Length; i++) rows[i] = new byte[frame.UnitColumns * frame.Across * JpegBlock.Side];
        var sums = new int[frame.UnitColumns * frame.Across * JpegBlock.Side];
        for (var y = 0; y < height; y++)
        {
            for (var i = 0; i < rows.Length; i++) Row(frame, frame.Components[i], y, rows[i], sums);
            Color(colours, rows, pixels.AsSpan(y * width * channels, width * channels));
        }

        return new(height, width, channels, pixels);
    }

    static void Transform(JpegComponent component)
    {
        for (var row = 0; row < component.Blocks.Rows; row++)
            for (var column = 0; column < component.Blocks.Columns; column++)
            {
                var block = component.Coefficients.AsSpan((row * component.Blocks.Columns + column) * JpegBlock.Size, JpegBlock.Size);
                JpegTransform.Inverse(block, component.Quantization!, !block[1..].ContainsAnyExcept((short)0), component.Plane.AsSpan((row * component.Stride + column) * JpegBlock.Side), component.Stride);
            }
    }

    /// <summary>Computes a row of a component at the width of the picture.</summary>
    static void Row(JpegFrame frame, JpegComponent component, int y, Span<byte> to, Span<int> sums)
    {
        var (down, across) = (frame.Down / component.Down, frame.Across / component.Across);
        var width = component.Samples.Width;
        var row = y / down;
        var samples = component.Plane.AsSpan(row * component.Stride, width);

        // The neighbor row that contributes to this row: the row above for the upper half of the samples, the row below for the lower half.
        var neighbour = Math.Clamp(y % 2 == 0 ? row - 1 : row + 1, 0, component.Samples.Height - 1);
        var other = component.Plane.AsSpan(neighbour * component.Stride, width);
        if ((down, across) == (1, 1)) samples.CopyTo(to);
        else if ((down, across) == (1, 2) && width > 2) TwiceAcross(samples, to);
        else if ((down, across) == (2, 1)) TwiceDown(samples, other, y % 2 == 0 ? 1 : 2, to);
        else if ((down, across) == (2, 2) && width > 2) TwiceBoth(samples, other, sums[..width], to);
        else Repeat(samples, across, to);
    }

    static void TwiceAcross(ReadOnlySpan<byte> samples, Span<byte> to)
    {
        var last = samples.Length - 1;
        to = to[..(2 * samples.Length)];
        for (var x = 0; x <= last; x++)
        {
            to[2 * x] = x == 0 ? samples[0] : (byte)((3 * samples[x] + samples[x - 1] + 1) >> 2);
            to[2 * x + 1] = x == last ? samples[x] : (byte)((3 * samples[x] + samples[x + 1] + 2) >> 2);
        }
    }

    static void TwiceDown(ReadOnlySpan<byte> samples, ReadOnlySpan<byte> other, int bias, Span<byte> to)
    {
        for (var x = 0; x < samples.Length; x++) to[x] = (byte)((3 * samples[x] + other[x] + bias) >> 2);
    }

    static void TwiceBoth(ReadOnlySpan<byte> samples, ReadOnlySpan<byte> other, Span<int> sums, Span<byte> to)
    {
        for (var x = 0; x < sums.Length && x < samples.Length && x < other.Length; x++) sums[x] = 3 * samples[x] + other[x];
        var last = sums.Length - 1;
        var left = sums[0];
        for (var x = 0; x <= last; x++)
        {
            var (here, right) = (sums[x], sums[Math.Min(x + 1, last)]);
            to[2 * x] = (byte)((3 * here + left + 8) >> 4);
            to[2 * x + 1] = (byte)((3 * here + right + 7) >> 4);
            left = here;
        }
    }

    static void Repeat(ReadOnlySpan<byte> samples, int across, Span<byte> to)
    {
        for (var x = 0; x < samples.Length; x++) to.Slice(x * across, across).Fill(samples[x]);
    }

    static void Color(JpegColors colours, byte[][] rows, Span<byte> to)
    {
        switch (colours)
        {
            case JpegColors.Gray:
                rows[0].AsSpan(0, to.Length).CopyTo(to);
                break;
            case JpegColors.Rgb:
                for (int x = 0, i = 0; i < to.Length; x++) (to[i++], to[i++], to[i++]) = (rows[0][x], rows[1][x], rows[2][x]);
                break;
            case JpegColors.YCbCr:
                FromYCbCr(rows[0], rows[1], rows[2], to);
                break;
            case JpegColors.Cmyk:
                for (int x = 0, i = 0; i < to.Length; x++) (to[i++], to[i++], to[i++]) = (Ink(rows[0][x], rows[3][x]), Ink(rows[1][x], rows[3][x]), Ink(rows[2][x], rows[3][x]));
                break;
            default:
                FromYCbCr(rows[0], rows[1], rows[2], to);
                for (int x = 0, i = 0; i < to.Length; x++)
                    for (var c = 0; c < 3; c++, i++) to[i] = Ink((byte)(255 - to[i]), rows[3][x]);
                break;
        }
    }

    static void FromYCbCr(ReadOnlySpan<byte> luma, ReadOnlySpan<byte> cb, ReadOnlySpan<byte> cr, Span<byte> to)
    {
        var pixels = MemoryMarshal.Cast<byte, Rgb>(to);
        luma = luma[..pixels.Length];
        cb = cb[..pixels.Length];
        cr = cr[..pixels.Length];
        for (var x = 0; x < pixels.Length; x++)
        {
            int y = luma[x], blue = cb[x] - Gray, red = cr[x] - Gray;
            pixels[x] = new(
                Clamped(y + ((RedOfCr * red + Half) >> FractionBits)),
                Clamped(y + ((-GreenOfCb * blue - GreenOfCr * red + Half) >> FractionBits)),
                Clamped(y + ((BlueOfCb * blue + Half) >> FractionBits)));
        }
    }

    readonly record struct Rgb(byte Red, byte Green, byte Blue);

    static byte Clamped(int value) => (byte)Math.Clamp(value, 0, 255);

    /// <summary>Returns a color from its ink and from black. Both are stored inverted, as all programs that write CMYK do it: left * white / 255, rounded as in Pillow.</summary>
    static byte Ink(byte left, byte white)
    {
        var product = (255 - left) * white + 128;
        return (byte)Math.Clamp(white - (((product >> 8) + product) >> 8), 0, 255);
    }
}
