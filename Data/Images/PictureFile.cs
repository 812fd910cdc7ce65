namespace QuadEngine.Data;

/// <summary>The files that pictures are in.</summary>
static class PictureFile
{
    // The head of nearly every file is in its first bytes; cameras put their notes before it.
    const int HeadBytes = 1 << 16;

    /// <summary>What to do about a name that is not UTF-8.</summary>
    public const string RenameForeign = "Rename it, e.g. with convmv or a file manager.";

    /// <summary>Opens a file, or a pipe that the system made for a process. A named pipe, which would wait for a writer, and a device, which may never end, are refused.</summary>
    /// <exception cref="InvalidFileException">It is no plain file, or empty, or nothing where a link leads to.</exception>
    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static FileStream Open(string path)
    {
        var file = Resolved(path);
        if (!file.Exists && new FileInfo(path).LinkTarget is { } target && !IsNamelessPipe(file)) throw new InvalidFileException(path, "", $"it is a link to {target}, where there is no file", "Mend the link, or take it out.");
        if (!file.Exists && HasForeignName(path)) throw new InvalidFileException(path, "", "its name is not UTF-8, so that it cannot be opened", RenameForeign);
        if (file is { Exists: true, Length: 0 }) throw new InvalidFileException(path, "", "it is empty, or no plain file but a pipe or a device; expected PNG, JPEG or BMP", "Copy the picture there, or take it out.");
        return new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Whether a name has what stands for bytes that are not UTF-8.</summary>
    public static bool HasForeignName(string path) => path.Contains('\uFFFD');

    /// <summary>Bytes of a file, at the end of all links; -1 where there is none.</summary>
    public static long Length(string path) => Resolved(path) is { Exists: true, Length: var length } ? length : -1;

    static FileInfo Resolved(string path)
    {
        try
        {
            return (FileInfo?)new FileInfo(path).ResolveLinkTarget(returnFinalTarget: true) ?? new(path);
        }
        catch (IOException)
        {
            return new(path);       // missing, or a link that leads to itself
        }
    }

    // A shell's <(...) is a link to "pipe:[123]", which no folder has; its writer is at work.
    static bool IsNamelessPipe(FileInfo file) => file.Name.StartsWith("pipe:[", StringComparison.Ordinal);

    /// <summary>What the head of a file says.</summary>
    /// <exception cref="InvalidFileException">The file is no image, whatever its name.</exception>
    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static PictureHead Head(string path)
    {
        using var file = Open(path);
        var bytes = new byte[Math.Min(HeadBytes, file.Length)];
        file.ReadExactly(bytes);
        try
        {
            return PictureFormat.Head(bytes);
        }
        catch (InvalidDataException) when (file.Length > bytes.Length)
        {
            // It may be further on.
        }
        catch (InvalidDataException e)
        {
            throw Damaged(path, e);
        }

        try
        {
            return PictureFormat.Head(File.ReadAllBytes(path));
        }
        catch (InvalidDataException e)
        {
            throw Damaged(path, e);
        }
    }

    public static InvalidFileException Damaged(string path, InvalidDataException e) =>
        new(path, "", $"it cannot be decoded as PNG, JPEG or BMP ({e.Message.TrimEnd('.')})", "Save it anew with another program, or take it out.");
}
