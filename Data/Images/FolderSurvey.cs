using StbImageSharp;

namespace QuadEngine.Data;

/// <summary>Sizes and colours of the images of a folder.</summary>
public sealed class FolderSurvey
{
    internal FolderSurvey(IReadOnlyList<PictureHead> heads)
    {
        var sides = heads.Select(head => Math.Min(head.Height, head.Width)).Order().ToArray();
        (ShortestSide, MedianSide, LongestSide) = (sides[0], sides[sides.Length / 2], heads.Max(head => Math.Max(head.Height, head.Width)));
        Grey = heads.Count(head => head.IsGrey);
        Channels = Grey == heads.Count ? 1 : 3;
    }

    /// <summary>The fewest pixels along any side of any image.</summary>
    public int ShortestSide { get; }

    /// <summary>The median of the images' shorter sides.</summary>
    public int MedianSide { get; }

    /// <summary>The most pixels along any side of any image.</summary>
    public int LongestSide { get; }

    /// <summary>Images without colour.</summary>
    public int Grey { get; }

    /// <summary>1 where all images are grey, else 3.</summary>
    public int Channels { get; }
}

/// <summary>What the head of an image file says.</summary>
readonly record struct PictureHead(int Height, int Width, bool IsGrey)
{
    /// <exception cref="InvalidFileException">The file is no image, whatever its name.</exception>
    public static PictureHead Read(string path)
    {
        using var stream = File.OpenRead(path);
        try
        {
            if (ImageInfo.FromStream(stream) is { Width: > 0, Height: > 0 } info)
                return new(info.Height, info.Width, info.ColorComponents is ColorComponents.Grey or ColorComponents.GreyAlpha);
        }
        catch (Exception e) when (e is not (IOException or OutOfMemoryException) || e is EndOfStreamException)
        {
            // The decoder throws whatever its arithmetic runs into.
        }

        throw new InvalidFileException(path, "", "it cannot be decoded as PNG, JPEG or BMP", "Save it anew with another program, or take it out.");
    }
}
