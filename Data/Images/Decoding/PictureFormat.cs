using System.Text;

namespace QuadEngine.Data;

/// <summary>What the head of an image file says.</summary>
/// <param name="Height">In pixels, as the picture is to be looked at.</param>
/// <param name="Width">Likewise.</param>
/// <param name="Channels">1 for grey, 3 for colours.</param>
readonly record struct PictureHead(int Height, int Width, int Channels)
{
    /// <summary>More than any camera has, and 0.8 GB in colour: a file that announces more is refused before memory is taken for it.</summary>
    public const long MostPixels = 1 << 28;

    const long MostSide = 1 << 20;

    /// <summary>A head whose sizes a file can have.</summary>
    /// <param name="height">As the file says.</param>
    /// <param name="width">As the file says.</param>
    /// <param name="channels">1 or 3.</param>
    /// <param name="orientation">Of EXIF.</param>
    public static PictureHead Checked(long height, long width, int channels, int orientation = Orientation.Upright)
    {
        if (height <= 0 || width <= 0) throw new InvalidDataException($"its size is {width} x {height} pixels");
        if (height > MostSide || width > MostSide || height * width > MostPixels)
            throw new InvalidDataException($"its size is {width:N0} x {height:N0} pixels, more than the {MostPixels:N0} (and {MostSide:N0} a side) that are read");
        return Orientation.Turns(orientation) ? new((int)width, (int)height, channels) : new((int)height, (int)width, channels);
    }
}

/// <summary>
/// A format of image files. A decoder either gives all pixels that the format defines for the bytes, or throws
/// <see cref="InvalidDataException"/>: it never guesses those that are missing. Its memory is bounded by the file's length.
/// </summary>
abstract class PictureFormat
{
    static readonly PictureFormat[] all = [new Jpeg(), new Png(), new Bmp()];

    /// <summary>Whether a file begins as this format does.</summary>
    protected abstract bool Begins(ReadOnlySpan<byte> file);

    /// <summary>Reads no further than sizes and colours.</summary>
    protected abstract PictureHead ReadHead(ReadOnlySpan<byte> file);

    /// <summary>Decodes the whole file, as the picture is to be looked at, in its own channels.</summary>
    protected abstract Picture ReadAll(ReadOnlySpan<byte> file);

    /// <summary>The head of a file in memory.</summary>
    /// <exception cref="InvalidDataException">It is no picture, or damaged.</exception>
    public static PictureHead Head(ReadOnlySpan<byte> file) => Of(file).ReadHead(file);

    /// <summary>The picture in a file in memory.</summary>
    /// <exception cref="InvalidDataException">It is no picture, or damaged.</exception>
    public static Picture Decode(ReadOnlySpan<byte> file) => Of(file).ReadAll(file);

    static PictureFormat Of(ReadOnlySpan<byte> file)
    {
        foreach (var format in all)
            if (format.Begins(file)) return format;
        throw new InvalidDataException(Kind(file));
    }

    // What files with the name of a picture often are.
    static string Kind(ReadOnlySpan<byte> file)
    {
        if (file.IsEmpty) return "it is empty";
        if (!file.ContainsAnyExcept((byte)0)) return "it holds zeros only";
        if (file.StartsWith("GIF8"u8)) return "it is a GIF";
        if (file.Length >= 12 && file.StartsWith("RIFF"u8) && file[8..12].SequenceEqual("WEBP"u8)) return "it is a WebP picture";
        if (file.StartsWith("II*\0"u8) || file.StartsWith("MM\0*"u8)) return "it is a TIFF";
        if (file.Length >= 12 && file[4..8].SequenceEqual("ftyp"u8)) return "it is a HEIC, AVIF or video file";
        if (file.StartsWith("8BPS"u8)) return "it is a Photoshop document";
        if (file.StartsWith("%PDF"u8)) return "it is a PDF document";
        if (file.StartsWith("version https://git-lfs"u8)) return "it is a pointer of Git LFS; `git lfs pull` brings the picture";
        var start = file[..Math.Min(file.Length, 64)];
        return start.ContainsAnyExceptInRange((byte)' ', (byte)'~') && start.ContainsAnyExcept("\t\r\n"u8) && Text(start) is not { } text
            ? "it begins as none of them" : $"it is a text that begins with \"{Text(start)}\"";
    }

    static string? Text(ReadOnlySpan<byte> start)
    {
        foreach (var value in start)
            if (value is < (byte)' ' and not ((byte)'\t' or (byte)'\r' or (byte)'\n') or > (byte)'~') return null;
        return Encoding.ASCII.GetString(start[..Math.Min(start.Length, 24)]).ReplaceLineEndings(" ");
    }
}
