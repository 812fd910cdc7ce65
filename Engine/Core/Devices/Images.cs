using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace QuadEngine.Devices;

/// <summary>Labeled images that stay on a device as bytes, which take a quarter of the memory of floats. The device gathers batches from them.</summary>
/// <param name="Pixels">Bytes [images, H, W, C], four per element, at most 2^31 - 1 bytes.</param>
/// <param name="Labels">[images]</param>
/// <param name="Levels">[C, 256]: the value of each byte of a channel.</param>
public readonly record struct ImageBytes(IntTensor Pixels, IntTensor Labels, Tensor Levels)
{
    /// <summary>Looks up the value of each byte.</summary>
    /// <param name="bytes">[..., C]</param>
    /// <param name="levels">[C, 256], see <see cref="ImageBytes"/>; its length gives C.</param>
    /// <param name="to">[..., C]</param>
    /// <exception cref="ArgumentException">The number of floats differs from the number of bytes, or it is not a whole number of pixels.</exception>
    public static void ToNumbers(ReadOnlySpan<byte> bytes, ReadOnlySpan<float> levels, Span<float> to)
    {
        var channels = levels.Length / 256;
        Check.That(bytes.Length == to.Length && channels > 0 && bytes.Length % channels == 0, nameof(ToNumbers),
            $"got {bytes.Length} bytes for {to.Length} numbers of {channels} channels, expected as many of both and a multiple of the channels.");

        // No bounds checks inside: the lengths are equal, and a byte cannot leave its 256 entries.
        ref var from = ref MemoryMarshal.GetReference(bytes);
        ref var into = ref MemoryMarshal.GetReference(to);
        for (var c = 0; c < channels; c++)
        {
            ref var map = ref Unsafe.AsRef(in levels[c * 256]);
            for (nint i = c; i < bytes.Length; i += channels)
                Unsafe.Add(ref into, i) = Unsafe.Add(ref map, (nint)Unsafe.Add(ref from, i));
        }
    }
}

/// <summary>
/// Random windows. Each is a function of the stream and the index of its image. It is shifted by up to <paramref name="Padding"/> pixels in each direction, and half of
/// the windows are mirrored if <paramref name="Flip"/> is set. The default leaves every image unchanged.
/// </summary>
/// <param name="Stream">Image i draws from the stream's block i.</param>
/// <param name="Padding">The largest shift, 0 or more.</param>
/// <param name="Flip">Whether half of the windows are mirrored left to right.</param>
public readonly record struct RandomWindows(RandomStream Stream, int Padding, bool Flip)
{
    /// <summary>The window of an image. The host and kernels compute the same window.</summary>
    /// <param name="image">The index of the image in the data set, 0 or more; it does not depend on the batch.</param>
    public Placement Of(int image)
    {
        var (x, y, z, _) = Stream.At(image);
        return Of(Padding, Flip, x, y, z);
    }

    internal static Placement Of(int padding, bool flip, uint x, uint y, uint z)
    {
        var places = 2 * padding + 1;
        return new(Philox.Below(places, x) - padding, Philox.Below(places, y) - padding, flip && (z >> 31) != 0);
    }
}

/// <summary>The window of an image that the network sees. It is as large as the image, is shifted down and right (black outside the image), and may then be mirrored.</summary>
/// <param name="Down">The shift down in pixels; negative for up.</param>
/// <param name="Right">The shift right in pixels; negative for left.</param>
/// <param name="Mirrored">Whether left and right are exchanged within the window.</param>
public readonly record struct Placement(int Down, int Right, bool Mirrored)
{
    /// <summary>The row of the image that a row of the window shows; it may lie outside the image.</summary>
    /// <param name="row">Counted from the top of the window.</param>
    public int Row(int row) => row + Down;

    /// <summary>The column of the image that a column of the window shows; it may lie outside the image.</summary>
    /// <param name="column">Counted from the left of the window.</param>
    /// <param name="width">Columns of the image, and of the window.</param>
    public int Column(int column, int width) => (Mirrored ? width - 1 - column : column) + Right;

    /// <summary>Writes the window as floats. Each row is first laid out as bytes, black outside the image, and then looked up.</summary>
    /// <param name="image">[H, W, C]</param>
    /// <param name="width">W</param>
    /// <param name="levels">[C, 256], see <see cref="ImageBytes"/>.</param>
    /// <param name="to">[H, W, C]</param>
    /// <exception cref="ArgumentException">The number of floats differs from the number of bytes, or it is not a whole number of rows.</exception>
    public void Write(ReadOnlySpan<byte> image, int width, ReadOnlySpan<float> levels, Span<float> to)
    {
        if (this == default)
        {
            ImageBytes.ToNumbers(image, levels, to);
            return;
        }

        int channels = levels.Length / 256, length = width * channels;
        Check.That(image.Length == to.Length && length > 0 && image.Length % length == 0, nameof(Placement),
            $"got {image.Length} bytes for {to.Length} numbers in rows of {width} pixels of {channels} channels, expected as many of both and whole rows.");

        var height = image.Length / length;
        var row = length <= 1024 ? stackalloc byte[length] : new byte[length];
        for (var h = 0; h < height; h++)
        {
            var from = Row(h);
            row.Clear();
            if ((uint)from < (uint)height) LayOut(image.Slice(from * length, length), width, channels, row);
            ImageBytes.ToNumbers(row, levels, to.Slice(h * length, length));
        }
    }

    /// <summary>Writes the window as bytes.</summary>
    /// <param name="image">[H, W, C]</param>
    /// <param name="width">W</param>
    /// <param name="channels">C</param>
    /// <param name="to">[H, W, C], black: what lies outside the image is not written.</param>
    internal void Copy(ReadOnlySpan<byte> image, int width, int channels, Span<byte> to)
    {
        var length = width * channels;
        var height = image.Length / length;
        for (var h = 0; h < height; h++)
            if ((uint)Row(h) < (uint)height) LayOut(image.Slice(Row(h) * length, length), width, channels, to.Slice(h * length, length));
    }

    void LayOut(ReadOnlySpan<byte> source, int width, int channels, Span<byte> row)
    {
        int first = Math.Max(0, -Right), end = Math.Min(width, width - Right);       // the part of the window inside the image
        if (end <= first) return;

        if (!Mirrored)
        {
            source.Slice((first + Right) * channels, (end - first) * channels).CopyTo(row[(first * channels)..]);
            return;
        }

        for (var w = first; w < end; w++)
            for (var c = 0; c < channels; c++)
                row[(width - 1 - w) * channels + c] = source[(w + Right) * channels + c];
    }
}
