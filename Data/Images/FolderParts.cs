namespace QuadEngine.Data;

/// <summary>
/// The parts of a folder of pictures, by their names: train, val and test in their usual spellings, in any case. A folder of such a name is a part where it has
/// folders of its own; without them it is a class, whatever it is called.
/// </summary>
/// <param name="Train">What networks learn from.</param>
/// <param name="Val">What they are judged by while they learn.</param>
/// <param name="Test">What they are judged by in the end.</param>
readonly record struct FolderParts(string? Train, string? Val, string? Test)
{
    static readonly string[] trainNames = ["train", "training", "trn"], valNames = ["val", "valid", "validation", "dev"], testNames = ["test", "testing", "tst"];

    /// <summary>The parts of a folder; none where it is a folder of classes.</summary>
    /// <exception cref="ArgumentException">It has classes beside a part, or a part twice.</exception>
    public static FolderParts Of(string folder)
    {
        var found = FolderWalk.FoldersIn(folder);
        var named = found.Where(path => trainNames.Concat(valNames).Concat(testNames).Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)).ToArray();
        if (named.FirstOrDefault(path => FolderWalk.FoldersIn(path).Length > 0) is not { } part) return default;

        string[] beside = [.. found.Except(named).Where(HasPictures).Select(path => Path.GetFileName(path)!)];
        Check.That(beside.Length == 0, nameof(FolderSplits), $"{folder} has folders of pictures ({ImageFolder.Listed(beside)}) beside {Path.GetFileName(part)}, which has folders itself and so is a part of a data set: "
            + $"nothing would be learned of them. Move them into {Path.GetFileName(part)} or elsewhere; where {Path.GetFileName(part)} is a class, put its pictures into it without folders.");
        return new(One(trainNames), One(valNames), One(testNames));

        string? One(string[] names)
        {
            var parts = named.Where(path => names.Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)).ToArray();
            Check.That(parts.Length < 2, nameof(FolderSplits), $"{folder} has {string.Join(" and ", parts.Select(Path.GetFileName))}, which are names of the same part; put them together.");
            return parts.FirstOrDefault();
        }
    }

    static bool HasPictures(string folder) => FolderWalk.FilesUnder([folder]).Files[0].Any(file => Picture.HasExtension(file.Path));
}
