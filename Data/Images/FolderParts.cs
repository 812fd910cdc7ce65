namespace QuadEngine.Data;

/// <summary>
/// The parts of a folder of pictures by their names: train, val and test in their usual spellings, in upper or lower case. A folder with such a name is a part if it has
/// sub-folders; without them it is a class.
/// </summary>
/// <param name="Train">The folder for training.</param>
/// <param name="Val">The folder for evaluation during the training.</param>
/// <param name="Test">The folder for the evaluation at the end.</param>
readonly record struct FolderParts(string? Train, string? Val, string? Test)
{
    static readonly string[] trainNames = ["train", "training", "trn"], valNames = ["val", "valid", "validation", "dev"], testNames = ["test", "testing", "tst"];

    /// <summary>Returns the parts of a folder; none if it is a folder of classes.</summary>
    /// <exception cref="ArgumentException">The folder has classes beside a part, or a part twice.</exception>
    public static FolderParts Of(string folder)
    {
        var found = FolderWalk.FoldersIn(folder);
        var named = found.Where(path => trainNames.Concat(valNames).Concat(testNames).Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)).ToArray();
        if (named.FirstOrDefault(path => FolderWalk.FoldersIn(path).Length > 0) is not { } part) return default;

        string[] beside = [.. found.Except(named).Where(HasPictures).Select(path => Path.GetFileName(path)!)];
        Check.That(beside.Length == 0, nameof(FolderSplits), $"{folder} has folders of pictures ({ImageFolder.Listed(beside)}) beside {Path.GetFileName(part)}. That folder has sub-folders, so it is a part of a data set, and "
            + $"the other folders would be left out. Move them into {Path.GetFileName(part)} or elsewhere. If {Path.GetFileName(part)} is a class, put its pictures into it without sub-folders.");
        return new(One(trainNames), One(valNames), One(testNames));

        string? One(string[] names)
        {
            var parts = named.Where(path => names.Contains(Path.GetFileName(path), StringComparer.OrdinalIgnoreCase)).ToArray();
            Check.That(parts.Length < 2, nameof(FolderSplits), $"{folder} has {string.Join(" and ", parts.Select(Path.GetFileName))}, which are names of the same part; merge them.");
            return parts.FirstOrDefault();
        }
    }

    static bool HasPictures(string folder) => FolderWalk.FilesUnder([folder]).Files[0].Any(file => Picture.HasExtension(file.Path));
}
