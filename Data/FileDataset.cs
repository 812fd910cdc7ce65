namespace QuadEngine.Data;

/// <summary>A data set whose official files can be downloaded. The files are read in the order of <see cref="Files"/>.</summary>
sealed class FileDataset(string name, string help, Shape imageShape, IReadOnlyList<string> classNames, Func<DatasetInfo, string[], DatasetSplits> read) : DatasetInfo(name, help, imageShape, classNames)
{
    /// <summary>The names of the files. A file with a name that ends in .gz may also exist unpacked, without that ending.</summary>
    public required IReadOnlyList<string> Files { get; init; }

    /// <summary>The usual sub-folders of the files; a download uses the first.</summary>
    public required IReadOnlyList<string> SubFolders { get; init; }

    public required IReadOnlyList<Download> Downloads { get; init; }

    public override bool IsEmbedded => false;

    public override string? FolderIn(string folder) => Find(folder) is [var first, ..] ? Path.GetDirectoryName(first) : null;

    public override DatasetSplits Load(string folder, Selection options) => Read(Find(folder)
        ?? throw new FileNotFoundException($"Datasets: {Name} is not in {folder}: {Missing(folder)}.\n  {HowToGet(folder)}"));

    public DatasetSplits Read(string[] paths) => read(this, paths);

    /// <summary>Returns the paths of all files in the first folder that has them all; null if no folder has.</summary>
    public string[]? Find(string folder) => Candidates(folder).Select(Present).FirstOrDefault(paths => paths.Length == Files.Count);

    public string HowToGet(string folder) =>
        $"Get it with `quad data get {Name} --data-dir {(folder.Contains(' ', StringComparison.Ordinal) ? $"\"{folder}\"" : folder)}`, or download\n    {string.Join("\n    ", Downloads.Select(d => d.Urls[0]))}\n"
        + (Downloads is [{ IsArchive: true } archive]
            ? $"  and unpack it, so that {Path.Combine(folder, SubFolders[0], Files[0])} exists."
            : $"  into {Path.Combine(folder, SubFolders[0])}.");

    /// <summary>Returns a text that names the missing files, in the folder that has most of the files.</summary>
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
/// <param name="Urls">The addresses of the file, the official one first.</param>
/// <param name="Target">The path of the file, relative to the data folder.</param>
/// <param name="Bytes">The size of the file.</param>
/// <param name="Md5">The published checksum.</param>
/// <param name="IsArchive">Whether the file is a .tar.gz that must be unpacked into the data folder.</param>
sealed record Download(IReadOnlyList<string> Urls, string Target, long Bytes, string Md5, bool IsArchive = false);
