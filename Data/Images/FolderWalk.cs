namespace QuadEngine.Data;

/// <summary>The path of a file, and its path without links.</summary>
readonly record struct FoundFile(string Path, string RealPath);

/// <summary>
/// The files under some folders. Each real folder and each real file is listed once, even if links lead to it. A link to a folder that
/// is read anyway is not followed, so a loop ends, and no picture of one class is listed in another.
/// </summary>
sealed class FolderWalk
{
    // File managers, archives and storage devices leave these folders beside pictures.
    static readonly string[] litter = ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"];

    static readonly EnumerationOptions everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    readonly HashSet<string> folders, files = new(StringComparer.Ordinal);

    FolderWalk(IEnumerable<string> own) => folders = new(own, StringComparer.Ordinal);

    /// <summary>The number of links that were left out because their targets are listed elsewhere.</summary>
    int Repeated { get; set; }

    /// <summary>Returns the visible sub-folders of a folder in ordinal order, without links to the folder itself or to a folder that contains it.</summary>
    public static string[] FoldersIn(string folder) =>
        [.. Entries(folder).OfType<DirectoryInfo>().Select(found => Path.Combine(folder, found.Name)).Where(path => !Holds(RealPath(path), RealPath(folder))).Order(StringComparer.Ordinal)];

    /// <summary>Returns the number of visible files directly in a folder.</summary>
    public static int CountIn(string folder) => Entries(folder).Count(entry => entry is FileInfo);

    /// <summary>Returns the visible files in and below each of some folders, in ordinal order, and the number of links to other files of these folders, which were left out.</summary>
    public static (FoundFile[][] Files, int Repeated) FilesUnder(IReadOnlyList<string> tops)
    {
        string[] real = [.. tops.Select(RealPath)];
        var walk = new FolderWalk(real);
        var found = tops.Select(_ => new List<FoundFile>()).ToArray();
        var links = tops.Select(_ => new SortedSet<string>(StringComparer.Ordinal)).ToArray();

        // A file belongs to its real folder rather than to a link, so real files and folders come first.
        for (var i = 0; i < found.Length; i++) walk.Walk(tops[i], real[i], found[i], links[i]);
        for (var i = 0; i < found.Length; i++)
            while (links[i].Min is { } link)
            {
                links[i].Remove(link);
                walk.Follow(link, real, found[i], links[i]);
            }

        return ([.. found.Select(list => list.OrderBy(file => file.Path, StringComparer.Ordinal).ToArray())], walk.Repeated);
    }

    /// <summary>Returns a path without links in any of its parts. If the target of a link does not exist, the path still leads to it.</summary>
    public static string RealPath(string path)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(path) is not { } parent) return path;
        path = Path.Combine(RealPath(parent), Path.GetFileName(path));
        try
        {
            return new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) is { } target ? RealPath(target.FullName) : path;
        }
        catch (IOException)
        {
            return path;        // a link that leads to itself
        }
    }

    void Walk(string folder, string real, List<FoundFile> found, SortedSet<string> links)
    {
        foreach (var entry in Entries(folder))
        {
            var (path, realPath) = (Path.Combine(folder, entry.Name), Path.Combine(real, entry.Name));
            if (entry.LinkTarget is not null) links.Add(path);
            else if (entry is FileInfo && files.Add(realPath)) found.Add(new(path, realPath));
            else if (entry is DirectoryInfo && folders.Add(realPath)) Walk(path, realPath, found, links);
        }
    }

    void Follow(string link, string[] tops, List<FoundFile> found, SortedSet<string> links)
    {
        var target = RealPath(link);
        if (Directory.Exists(target))
        {
            if (tops.All(top => !Holds(target, top)) && folders.Add(target)) Walk(link, target, found, links);
            else Repeated++;
        }
        else if (files.Add(target)) found.Add(new(link, target));
        else Repeated++;
    }

    /// <summary>Whether two folders are the same, or the first contains the second.</summary>
    static bool Holds(string folder, string inner) => folder == inner || inner.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    static IEnumerable<FileSystemInfo> Entries(string folder)
    {
        Check.That(!PictureFile.HasForeignName(folder) || Directory.Exists(folder), nameof(ImageFolder), $"the name of the folder {folder} is not UTF-8, so it cannot be opened. {PictureFile.RenameForeign}");
        return new DirectoryInfo(folder).EnumerateFileSystemInfos("*", everything).Where(entry => !entry.Name.StartsWith('.') && !litter.Contains(entry.Name, StringComparer.OrdinalIgnoreCase));
    }
}
