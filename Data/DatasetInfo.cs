namespace QuadEngine.Data;

/// <summary>The two parts of a data set.</summary>
/// <param name="Train">Images to learn from.</param>
/// <param name="Test">Images to judge by.</param>
public sealed record DatasetSplits(ImageDataset Train, ImageDataset Test);

/// <summary>What is known of a data set before it is loaded: its size, classes, licence, and where its files are.</summary>
public sealed record DatasetInfo
{
    /// <param name="read">Reads the splits from the paths of <see cref="Files"/>, in their order.</param>
    internal DatasetInfo(Func<DatasetInfo, string[], DatasetSplits> read) => Read = read;

    /// <summary>The name by which <see cref="Datasets"/> and the tool know it.</summary>
    public required string Name { get; init; }

    /// <summary>One line about it.</summary>
    public required string Title { get; init; }

    /// <summary>[H, W, C], the shape of one image.</summary>
    public required Shape ImageShape { get; init; }

    /// <summary>One name a class.</summary>
    public required IReadOnlyList<string> ClassNames { get; init; }

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>The number of training images.</summary>
    public required int TrainCount { get; init; }

    /// <summary>The number of test images.</summary>
    public required int TestCount { get; init; }

    /// <summary>How bytes become the numbers a network sees.</summary>
    public required Normalization Normalization { get; init; }

    /// <summary>Under which terms it may be used.</summary>
    public required string License { get; init; }

    /// <summary>Its authors' page.</summary>
    public required string HomePage { get; init; }

    /// <summary>It is inside the assembly and needs no files.</summary>
    public bool IsEmbedded => Files.Count == 0;

    /// <summary>The files it is read from; a name that ends in .gz may be there unpacked, without that ending.</summary>
    internal IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>Sub-folders where the files usually are; the first is where a download puts them.</summary>
    internal IReadOnlyList<string> SubFolders { get; init; } = [];

    internal IReadOnlyList<Download> Downloads { get; init; } = [];

    internal Func<DatasetInfo, string[], DatasetSplits> Read { get; }

    /// <summary>The folder that holds its files; null where none has them all, or it needs none.</summary>
    /// <param name="folder">Where data sets are kept. The usual sub-folders in it come first, then the folder itself.</param>
    public string? FolderIn(string folder) => Find(folder) is [var first, ..] ? Path.GetDirectoryName(first) : null;

    internal DatasetSplits Load(string folder) => Read(this, Find(folder)
        ?? throw new FileNotFoundException($"Datasets: {Name} is not in {folder}: {Missing(folder)}.\n  {HowToGet(folder)}"));

    /// <summary>The paths of all files, from the first folder that has them all; null where none does.</summary>
    internal string[]? Find(string folder) => Candidates(folder).Select(Present).FirstOrDefault(paths => paths.Length == Files.Count);

    internal string HowToGet(string folder) =>
        $"Get it with `quad data get {Name} --data-dir {(folder.Contains(' ', StringComparison.Ordinal) ? $"\"{folder}\"" : folder)}`, or download\n    {string.Join("\n    ", Downloads.Select(d => d.Urls[0]))}\n"
        + (Downloads is [{ IsArchive: true } archive]
            ? $"  and unpack it, so that {Path.Combine(folder, SubFolders[0], Files[0])} is there."
            : $"  into {Path.Combine(folder, SubFolders[0])}.");

    /// <summary>Says what is not there, in the folder that has most.</summary>
    string Missing(string folder)
    {
        var fullest = Candidates(folder).MaxBy(candidate => Present(candidate).Length)!;
        return Present(fullest).Length == 0
            ? $"neither it nor {string.Join(", ", SubFolders)} in it has {Files[0]}"
            : $"{fullest} lacks {string.Join(", ", Files.Where(file => PathOf(fullest, file) is null))}";
    }

    IEnumerable<string> Candidates(string folder) => SubFolders.Select(sub => Path.Combine(folder, sub)).Append(folder);

    string[] Present(string folder) => [.. Files.Select(file => PathOf(folder, file)).OfType<string>()];

    static string? PathOf(string folder, string file)
    {
        var path = Path.Combine(folder, file);
        if (File.Exists(path))
            return path;

        var unpacked = file.EndsWith(".gz", StringComparison.Ordinal) ? path[..^3] : path;
        return File.Exists(unpacked) ? unpacked : null;
    }
}

/// <summary>One official file of a data set.</summary>
/// <param name="Urls">Where it is, the official place first.</param>
/// <param name="Target">Where it goes, relative to the data folder.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Md5">Its published checksum.</param>
/// <param name="IsArchive">It is a .tar.gz, to be unpacked into the data folder.</param>
sealed record Download(IReadOnlyList<string> Urls, string Target, long Bytes, string Md5, bool IsArchive = false);
