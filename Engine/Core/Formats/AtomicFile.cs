namespace QuadEngine;

/// <summary>Files that are either the old one or the whole new one, whatever happens in between.</summary>
public static class AtomicFile
{
    /// <summary>
    /// Writes a file aside, under its name with <c>.partial</c> added, forces it to disk and moves it into place. Where that fails, an
    /// earlier file of that name is untouched and the partial one is removed; what a killed process leaves, the next write replaces.
    /// </summary>
    /// <param name="path">The file to create or replace; its folder must exist.</param>
    /// <param name="write">Writes the content, front to back.</param>
    /// <exception cref="IOException">The disk is full, the folder is missing or may not be written, or another process is writing the same file.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(write);
        var partial = path + ".partial";
        var opened = false;      // a partial file that another process holds is not ours to remove
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException(
                $"{path} could not be written: {e.Message.TrimEnd('.')}. A file that was there before is unchanged. " +
                "Free some space or choose another folder, then write it again.", e);
        }
        finally
        {
            if (opened)
                File.Delete(partial);
        }
    }
}
