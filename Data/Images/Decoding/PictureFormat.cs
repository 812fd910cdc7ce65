using System.Text;

namespace QuadEngine.Data;

/// <summary>The properties in the head of an image file.</summary>
/// <param name="Height">The height in pixels, in upright position.</param>
/// <param name="Width">The width in pixels, in upright position.</param>
/// <param name="Channels">The number of channels: 1 for gray, 3 for color.</param>
readonly record struct PictureHead(int Height, int Width, int Channels)
{
    /// <summary>The largest number of pixels: more than any camera has, and 0.8 GB in color. A file that announces more is refused before memory is allocated for it.</summary>
    public const long MostPixels = 1 << 28;

    const long MostSide = 1 << 20;

    /// <summary>Returns a head; throws if its sizes are not possible.</summary>
    /// <param name="height">The height in the file.</param>
    /// <param name="width">The width in the file.</param>
    /// <param name="channels">The number of channels, 1 or 3.</param>
    /// <param name="orientation">The orientation of EXIF.</param>
    public static PictureHead Checked(long height, long width, int channels, int orientation = Orientation.Upright)
    {
        if (height <= 0 || width <= 0) throw new InvalidDataException($"its size is {width} x {height} pixels");
        if (height > MostSide || width > MostSide || height * width > MostPixels)
            throw new InvalidDataException($"its size is {width:N0} x {height:N0} pixels, but at most {MostPixels:N0} pixels (and {MostSide:N0} on each side) are supported");
        return Orientation.Turns(orientation) ? new((int)width, (int)height, channels) : new((int)height, (int)width, channels);
    }
}

/// <summary>
/// A format of image files. A decoder either returns all pixels that the format defines for the bytes, or throws
/// <see cref="InvalidDataException"/>: it never guesses missing pixels. The length of the file bounds its memory.
/// </summary>
abstract class PictureFormat
{
    static readonly PictureFormat[] all = [new Jpeg(), new Png(), new Bmp()];

    /// <summary>Whether the file starts with the signature of this format.</summary>
    protected abstract bool Begins(ReadOnlySpan<byte> file);

    /// <summary>Reads the file up to its sizes and colors.</summary>
    protected abstract PictureHead ReadHead(ReadOnlySpan<byte> file);

    /// <summary>Decodes the whole file, in upright position, in its own channels.</summary>
    protected abstract Picture ReadAll(ReadOnlySpan<byte> file);

    /// <summary>Returns the head of a file in memory.</summary>
    /// <exception cref="InvalidDataException">The file is not a picture, or is damaged.</exception>
    public static PictureHead Head(ReadOnlySpan<byte> file) => Of(file).ReadHead(file);

    /// <summary>Returns the picture of a file in memory.</summary>
    /// <exception cref="InvalidDataException">The file is not a picture, or is damaged.</exception>
    public static Picture Decode(ReadOnlySpan<byte> file) => Of(file).ReadAll(file);

    static PictureFormat Of(ReadOnlySpan<byte> file)
    {
        foreach (var format in all)
            if (format.Begins(file)) return format;
        throw new InvalidDataException(Kind(file));
    }

    // Recognizes the usual contents of files that have the name of a picture and are none.
    static string Kind(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty) return "it is empty";
        if (!file.ContainsAnyExcept((byte)0)) return "it contains only zeros";
        if (file.StartsWith("GIF8"u8)) return "it is a GIF";
        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..12].SequenceEqual("WEBP"u8)) return "it is a WebP picture";
        if (file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8)) return "it is a TIFF";
        if (file.Length >= 12 && file[4..8].SequenceEqual("ftyp"u8)) return "it is a HEIC, AVIF or video file";
        if (file.StartsWith("8BPS"u8)) return "it is a Photoshop document";
        if (file.StartsWith("%PDF"u8)) return "it is a PDF document";
        if (file.StartsWith("version https://git-lfs"u8)) return "it is a pointer of Git LFS; `git lfs pull` downloads the picture";
        var start = file[..Math.Min(file.Length, 64)];
        return start.ContainsAnyExceptInRange((byte)' ', (byte)'~') && start.ContainsAnyExcept("\t\r\n"u8) && Text(start) is not { } text
            ? "its first bytes belong to none of them" : $"it is a text that starts with \"{Text(start)}\"";
    }

    static string? Text(ReadOnlySpan<byte> start)
    {
        foreach (var value in start)
            if (value is < (byte)' ' and not ((byte)'\t' or (byte)'\r' or (byte)'\n') or > (byte)'~') return null;
        return Encoding.ASCII.GetString(start[..Math.Min(start.Length, 24)]).ReplaceLineEndings(" ");
    }
}
