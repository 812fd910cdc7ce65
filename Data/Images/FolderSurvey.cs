namespace QuadEngine.Data;

/// <summary>Sizes and colours of the images of a folder.</summary>
public sealed class FolderSurvey
{
    internal FolderSurvey(IReadOnlyList<PictureHead> all, IReadOnlyList<InvalidFileException> damaged)
    {
        Damaged = damaged;
        PictureHead[] heads = [.. all.Where(head => head.Height > 0)];       // those of damaged files are empty
        if (heads.Length == 0) return;
        var sides = heads.Select(head => Math.Min(head.Height, head.Width)).Order().ToArray();
        (ShortestSide, MedianSide, LongestSide) = (sides[0], sides[sides.Length / 2], heads.Max(head => Math.Max(head.Height, head.Width)));
        Gray = heads.Count(head => head.Channels == 1);
        Channels = Gray == heads.Length ? 1 : 3;
    }

    /// <summary>The files that cannot be read or decoded, each with what is wrong; they count nowhere else.</summary>
    public IReadOnlyList<InvalidFileException> Damaged { get; }

    /// <summary>The fewest pixels along any side of any image.</summary>
    public int ShortestSide { get; }

    /// <summary>The median of the images' shorter sides.</summary>
    public int MedianSide { get; }

    /// <summary>The most pixels along any side of any image.</summary>
    public int LongestSide { get; }

    /// <summary>Images without colour.</summary>
    public int Gray { get; }

    /// <summary>1 where all images are grey, else 3.</summary>
    public int Channels { get; } = 3;
}
