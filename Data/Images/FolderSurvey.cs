namespace QuadEngine.Data;

/// <summary>The sizes and colors of the images in a folder.</summary>
public sealed class FolderSurvey
{
    internal FolderSurvey(IReadOnlyList<PictureHead> all, IReadOnlyList<InvalidFileException> damaged)
    {
        Damaged = damaged;
        PictureHead[] heads = [.. all.Where(head => head.Height > 0)];       // the heads of damaged files are empty
        if (heads.Length == 0) return;
        var sides = heads.Select(head => Math.Min(head.Height, head.Width)).Order().ToArray();
        (ShortestSide, MedianSide, LongestSide) = (sides[0], sides[sides.Length / 2], heads.Max(head => Math.Max(head.Height, head.Width)));
        Gray = heads.Count(head => head.Channels == 1);
        Channels = Gray == heads.Length ? 1 : 3;
    }

    /// <summary>The files that cannot be read or decoded, each with its error. They are not counted in the other properties.</summary>
    public IReadOnlyList<InvalidFileException> Damaged { get; }

    /// <summary>The fewest pixels along any side of any image.</summary>
    public int ShortestSide { get; }

    /// <summary>The median of the images' shorter sides.</summary>
    public int MedianSide { get; }

    /// <summary>The most pixels along any side of any image.</summary>
    public int LongestSide { get; }

    /// <summary>The number of images without color.</summary>
    public int Gray { get; }

    /// <summary>The number of channels: 1 if all images are gray, else 3.</summary>
    public int Channels { get; } = 3;
}
