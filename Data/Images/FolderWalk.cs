namespace QuadEngine.Data;

/// <summary>A file as it was found, and its path without links.</summary>
readonly record struct FoundFile(string Path, string RealPath);

/// <summary>
/// The files under some folders, each real folder and each real file once, whatever links lead to it. A link is not followed where it leads to a folder that
/// is read anyway: so a loop ends, and no picture of one class comes into another.
/// </summary>
sealed class FolderWalk
{
    // What file managers, archives and storage devices leave beside pictures.
    static readonly string[] litter = ["__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information", "lost+found"];

    static readonly EnumerationOptions everything = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    readonly HashSet<string> folders, files = new(StringComparer.Ordinal);

    FolderWalk(IEnumerable<string> own) => folders = new(own, StringComparer.Ordinal);

    /// <summary>Links that were left out, since what they lead to is listed elsewhere.</summary>
    int Repeated { get; set; }

    /// <summary>The shown sub-folders of a folder in ordinal order, without links to itself or to what holds it.</summary>
    public static string[] FoldersIn(string folder) =>
        [.. Entries(folder).OfType<DirectoryInfo>().Select(found => Path.Combine(folder, found.Name)).Where(path => !Holds(RealPath(path), RealPath(folder))).Order(StringComparer.Ordinal)];

    /// <summary>The shown files directly in a folder.</summary>
    public static int CountIn(string folder) => Entries(folder).Count(entry => entry is FileInfo);

    /// <summary>The shown files of each of some folders and all below, in ordinal order, and how many links to others of them were left out.</summary>
    public static (FoundFile[][] Files, int Repeated) FilesUnder(IReadOnlyList<string> tops)
    {
        string[] real = [.. tops.Select(RealPath)];
        var walk = new FolderWalk(real);
        var found = tops.Select(_ => new List<FoundFile>()).ToArray();
        var links = tops.Select(_ => new SortedSet<string>(StringComparer.Ordinal)).ToArray();

        // What lies in a folder belongs to it rather than to where a link leads: all that is real comes first.
        for (var i = 0; i < found.Length; i++) walk.Walk(tops[i], real[i], found[i], links[i]);
        for (var i = 0; i < found.Length; i++)
            while (links[i].Min is { } link)
            {
                links[i].Remove(link);
                walk.Follow(link, real, found[i], links[i]);
            }

        return ([.. found.Select(list => list.OrderBy(file => file.Path, StringComparer.Ordinal).ToArray())], walk.Repeated);
    }

    /// <summary>A path without links in any of its parts; where a link leads nowhere, that place.</summary>
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

    /// <summary>Whether a folder is another one or has it somewhere below.</summary>
    static bool Holds(string folder, string inner) => folder == inner || inner.StartsWith(Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar, StringComparison.Ordinal);

    static IEnumerable<FileSystemInfo> Entries(string folder)
    {
        Check.That(!PictureFile.HasForeignName(folder) || Directory.Exists(folder), nameof(ImageFolder), $"the name of the folder {folder} is not UTF-8, so that it cannot be opened. {PictureFile.RenameForeign}");
        return new DirectoryInfo(folder).EnumerateFileSystemInfos("*", everything).Where(entry => !entry.Name.StartsWith('.') && !litter.Contains(entry.Name, StringComparer.OrdinalIgnoreCase));
    }
}
