namespace QuadEngine.Data;

/// <summary>One decoded image: bytes [H, W, C], gray or RGB.</summary>
public sealed class Picture
{
    /// <summary>Creates an image over its bytes, which it keeps and does not copy.</summary>
    /// <param name="height">The height H, in pixels, 1 or more.</param>
    /// <param name="width">The width W, in pixels, 1 or more.</param>
    /// <param name="channels">The number of channels: 1 for gray, 3 for RGB.</param>
    /// <param name="pixels">The bytes [H, W, C], row after row from the top.</param>
    /// <exception cref="ArgumentException">A side is below 1, the channels are neither 1 nor 3, or the number of bytes is not height x width x channels.</exception>
    public Picture(int height, int width, int channels, byte[] pixels)
    {
        CheckSides(height, width);
        CheckChannels(channels);
        Check.That(pixels.Length == (long)height * width * channels, nameof(Picture),
            $"got {pixels.Length} bytes for {height} x {width} pixels of {channels} channels, which take {(long)height * width * channels} bytes.");
        (Height, Width, Channels, Pixels) = (height, width, channels, pixels);
    }

    /// <summary>The height H, in pixels.</summary>
    public int Height { get; }

    /// <summary>The width W, in pixels.</summary>
    public int Width { get; }

    /// <summary>The number of channels: 1 for gray, 3 for RGB.</summary>
    public int Channels { get; }

    /// <summary>The bytes [H, W, C].</summary>
    public byte[] Pixels { get; }

    /// <summary>The endings of file names that belong to images.</summary>
    public static IReadOnlyList<string> Extensions { get; } = [".png", ".jpg", ".jpeg", ".jfif", ".bmp"];

    internal static bool HasExtension(string path) => Extensions.Contains(Path.GetExtension(path), StringComparer.OrdinalIgnoreCase);

    /// <summary>Decodes a PNG, JPEG or BMP file in upright position (EXIF orientation).</summary>
    /// <param name="path">The file. Its content decides the format, not its name.</param>
    /// <param name="channels">The number of channels: 1 for gray (a weighted sum of the colors), 3 for RGB (transparency is ignored).</param>
    /// <exception cref="ArgumentException">The channels are neither 1 nor 3.</exception>
    /// <exception cref="InvalidFileException">The file is not such an image, or is truncated or damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static Picture Read(string path, int channels = 3)
    {
        CheckChannels(channels);
        return Decode(path).WithChannels(channels);
    }

    /// <summary>Decodes a PNG, JPEG or BMP image from the position of a stream to its end, in upright position (EXIF orientation).</summary>
    /// <param name="stream">The stream. It is read to its end and stays open.</param>
    /// <param name="channels">The number of channels: 1 for gray (a weighted sum of the colors), 3 for RGB (transparency is ignored).</param>
    /// <param name="name">The name in error messages.</param>
    /// <exception cref="ArgumentException">The channels are neither 1 nor 3.</exception>
    /// <exception cref="InvalidFileException">The content is not such an image, or is truncated or damaged.</exception>
    /// <exception cref="IOException">The stream cannot be read.</exception>
    public static Picture Read(Stream stream, int channels = 3, string name = "image")
    {
        CheckChannels(channels);
        return Decode(stream, name).WithChannels(channels);
    }

    /// <summary>Decodes a PNG, JPEG or BMP image in memory, in upright position (EXIF orientation).</summary>
    /// <param name="bytes">The whole file.</param>
    /// <param name="channels">The number of channels: 1 for gray (a weighted sum of the colors), 3 for RGB (transparency is ignored).</param>
    /// <param name="name">The name in error messages.</param>
    /// <exception cref="ArgumentException">The channels are neither 1 nor 3.</exception>
    /// <exception cref="InvalidFileException">The content is not such an image, or is truncated or damaged.</exception>
    public static Picture Read(ReadOnlySpan<byte> bytes, int channels = 3, string name = "image")
    {
        CheckChannels(channels);
        return Decode(bytes, name).WithChannels(channels);
    }

    /// <summary>Returns the picture of a file with the file's own channels.</summary>
    internal static Picture Decode(string path)
    {
        using var file = PictureFile.Open(path);
        return Decode(file, path);
    }

    static Picture Decode(Stream stream, string name)
    {
        using var bytes = new MemoryStream();
        if (stream.CanSeek) bytes.Capacity = (int)Math.Clamp(stream.Length - stream.Position, 0, Array.MaxLength);
        stream.CopyTo(bytes);
        return Decode(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), name);
    }

    static Picture Decode(ReadOnlySpan<byte> bytes, string name)
    {
        try
        {
            return PictureFormat.Decode(bytes);
        }
        catch (InvalidDataException e)
        {
            throw PictureFile.Damaged(name, e);
        }
    }

    static void CheckSides(int height, int width) => Check.That(height > 0 && width > 0, nameof(Picture), $"got {height} x {width} pixels, expected 1 or more on each side.");

    static void CheckChannels(int channels) => Check.That(channels is 1 or 3, nameof(Picture), $"got {channels} channels, expected 1 (gray) or 3 (RGB).");

    /// <summary>Writes the image as PNG, without loss.</summary>
    /// <param name="path">The file, which is replaced if it exists; its folder must exist. The format is PNG for any name.</param>
    /// <exception cref="IOException">The file cannot be written; an earlier file is unchanged.</exception>
    public void Save(string path) => AtomicFile.Write(path, stream => PngWriter.Write(stream, this));

    /// <summary>Returns the image in gray (with the weights of ITU-R BT.601, as in reading) or in RGB; the image itself if it has these channels already.</summary>
    /// <param name="channels">The number of channels, 1 or 3.</param>
    /// <exception cref="ArgumentException">The channels are neither 1 nor 3.</exception>
    public Picture WithChannels(int channels)
    {
        CheckChannels(channels);
        if (channels == Channels) return this;
        var pixels = new byte[Height * Width * channels];
        for (var i = 0; i < Height * Width; i++)
            if (channels == 3) pixels.AsSpan(3 * i, 3).Fill(Pixels[i]);
            else pixels[i] = (byte)((77 * Pixels[3 * i] + 150 * Pixels[3 * i + 1] + 29 * Pixels[3 * i + 2]) >> 8);
        return new(Height, Width, channels, pixels);
    }

    /// <summary>Returns the image with left and right exchanged.</summary>
    public Picture Mirror()
    {
        var mirrored = new byte[Pixels.Length];
        for (var i = 0; i < Height * Width; i++)
        {
            var (h, w) = Math.DivRem(i, Width);
            Pixels.AsSpan(i * Channels, Channels).CopyTo(mirrored.AsSpan((h * Width + Width - 1 - w) * Channels));
        }

        return new(Height, Width, Channels, mirrored);
    }

    /// <summary>
    /// Returns a part of the image at another size. Every new pixel is the weighted mean of the old pixels under it, with weights that fall linearly.
    /// Enlarging is bilinear; in reducing, all pixels count, as in Pillow's resize.
    /// </summary>
    /// <param name="frame">The part.</param>
    /// <param name="height">The new height, 1 or more.</param>
    /// <param name="width">The new width, 1 or more.</param>
    /// <exception cref="ArgumentException">The new height or width is below 1.</exception>
    public Picture Resample(Frame frame, int height, int width)
    {
        CheckSides(height, width);
        if (frame == new Frame(0, 0, Height, Width) && (height, width) == (Height, Width)) return this;
        var (columns, rows) = (Resampling.Along(frame.Left, frame.Width, width, Width), Resampling.Along(frame.Top, frame.Height, height, Height));
        var (first, end) = (rows.Min(row => row.First), rows.Max(row => row.First + row.Weights.Length));       // the part may have only few rows of a long picture
        var seen = Pixels.AsSpan(first * Width * Channels, (end - first) * Width * Channels);
        return new(height, width, Channels, Resampling.Rows(Resampling.Columns(seen, end - first, Channels, columns), width * Channels, rows, first));
    }
}

/// <summary>A rectangle of an image, in pixels. Its edges may cut through pixels.</summary>
/// <param name="Top">The upper edge, from the top of the image.</param>
/// <param name="Left">The left edge, from the left of the image.</param>
/// <param name="Height">The height of the rectangle.</param>
/// <param name="Width">The width of the rectangle.</param>
public readonly record struct Frame(float Top, float Left, float Height, float Width)
{
    /// <summary>Returns the largest rectangle with the given proportions in the middle of an image, or a share of it.</summary>
    /// <param name="imageHeight">The height of the image.</param>
    /// <param name="imageWidth">The width of the image.</param>
    /// <param name="height">The proportion of the height.</param>
    /// <param name="width">The proportion of the width.</param>
    /// <param name="share">The side of the rectangle, divided by the side of the largest: 0.875 is the usual resize to 256 and crop of 224.</param>
    public static Frame Center(int imageHeight, int imageWidth, int height, int width, float share = 1f)
    {
        var scale = share * MathF.Min((float)imageHeight / height, (float)imageWidth / width);
        return new((imageHeight - scale * height) / 2f, (imageWidth - scale * width) / 2f, scale * height, scale * width);
    }
}
