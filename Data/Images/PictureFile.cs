namespace QuadEngine.Data;

/// <summary>Opens the files of pictures and reads their heads.</summary>
static class PictureFile
{
    // The head of nearly every file is in its first bytes, but cameras write their notes before it.
    const int HeadBytes = 1 << 16;

    /// <summary>The advice for a name that is not UTF-8.</summary>
    public const string RenameForeign = "Rename it, e.g. with convmv or a file manager.";

    /// <summary>Opens a file, or a pipe that the system made for a process. It refuses a named pipe, which would wait for a writer, and a device, which may never end.</summary>
    /// <exception cref="InvalidFileException">It is not a plain file, it is empty, or it is a link to a missing file.</exception>
    /// <exception cref="IOException">It is missing or cannot be read.</exception>
    public static FileStream Open(string path)
    {
        var file = Resolved(path);
        if (!file.Exists && new FileInfo(path).LinkTarget is { } target && !IsNamelessPipe(file)) throw new InvalidFileException(path, "", $"it is a link to {target}, where there is no file", "Repair the link, or remove it.");
        if (!file.Exists && HasForeignName(path)) throw new InvalidFileException(path, "", "its name is not UTF-8, so it cannot be opened", RenameForeign);
        if (file is { Exists: true, Length: 0 }) throw new InvalidFileException(path, "", "it is empty, or it is a pipe or a device; expected a PNG, JPEG or BMP file", "Copy the picture there, or remove the file.");
        return new(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Whether a name contains the replacement of bytes that are not UTF-8.</summary>
    public static bool HasForeignName(string path) => path.Contains('\uFFFD');

    /// <summary>Returns the number of bytes of a file, at the end of all links; -1 if there is none.</summary>
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

    // In a shell, <(...) is a link to "pipe:[123]", which is not in any folder; a running process writes to it.
    static bool IsNamelessPipe(FileInfo file) => file.Name.StartsWith("pipe:[", StringComparison.Ordinal);

    /// <summary>Reads the head of a file.</summary>
    /// <exception cref="InvalidFileException">The content of the file is not an image.</exception>
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
            // The head may come later in the file.
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
        new(path, "", $"it cannot be decoded as PNG, JPEG or BMP ({e.Message.TrimEnd('.')})", "Save it again with another program, or remove it.");
}
