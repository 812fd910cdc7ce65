namespace QuadEngine;

/// <summary>Writes files so that a path always holds either the old file or the complete new file, even after a crash.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file under its name with <c>.partial</c> added, forces it to disk and moves it into place. If this fails, an
    /// earlier file of that name is unchanged and the partial file is removed. The next write replaces a partial file that a killed process left.
    /// </summary>
    /// <param name="path">
    /// The file to create or replace; its folder must exist. If the path is a link, its target is replaced, and the link stays. A pipe and a character
    /// device (/dev/null) are written to directly. A folder, a disk and a socket are refused.
    /// </param>
    /// <param name="write">Writes the content, front to back.</param>
    /// <exception cref="IOException">The disk is full, the folder is missing or not writable, another process is writing the same file, or the path cannot hold a file.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        try
        {
            switch (FileKinds.Of(path))
            {
                case FileKind.Folder:
                    throw new IOException("it is a folder");
                case FileKind.Other:
                    throw new IOException("it is a disk or a socket, not a file");
                case FileKind.Pipe or FileKind.Device:
                    WriteThrough(path, write);
                    break;
                default:
                    Replace(new FileInfo(path).LinkTarget is null ? path : File.ResolveLinkTarget(path, returnFinalTarget: true)!.FullName, write);
                    break;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"{path} could not be written: {e.Message.TrimEnd('.')}. A file that was there before is unchanged. {Advice(e)}", e);
        }
    }

    static void WriteThrough(string path, Action<Stream> write)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 1 << 16);
        write(stream);
    }

    static void Replace(string path, Action<Stream> write)
    {
        var partial = path + ".partial";
        var opened = false;      // true once this process holds the partial file; the file of another process must not be removed
        try
        {
            using (var stream = new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 16))
            {
                opened = true;
                write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(partial, path, overwrite: true);
            opened = false;
        }
        finally
        {
            if (opened)
                File.Delete(partial);
        }
    }

    static string Advice(Exception e) => e switch
    {
        PathTooLongException => "Give a shorter name.",
        DirectoryNotFoundException => "Make the folder first, or choose another.",
        UnauthorizedAccessException => "Choose another folder, or make this one writable.",
        _ when IsDiskFull(e.HResult) => "Free some space or choose another folder, then write it again.",
        _ => "Choose another name or folder, then write it again.",
    };

    // ENOSPC; an exceeded quota on Linux and on macOS; the two codes of Windows.
    static bool IsDiskFull(int code) => code is 28 or 122 or 69 or unchecked((int)0x80070070) or unchecked((int)0x80070027);
}
