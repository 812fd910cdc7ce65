using System.Globalization;

namespace QuadEngine.Models;

/// <summary>
/// A folder that one trainer or experiment writes to at a time, in this process or in another. The lock is a file of the folder that is held open, so
/// that the system itself ends it with the process, however that ends.
/// </summary>
/// <remarks>Nobody can read a file that is locked, but everybody sees its length: it is the number of the process that holds it.</remarks>
sealed class FolderLock : IDisposable
{
    const string Name = "run.lock";

    readonly FileStream file;

    FolderLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="folder">Exists.</param>
    /// <exception cref="InvalidOperationException">Somebody else has it; the message names the process.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static FolderLock Take(string folder) => TryTake(folder) ?? throw new InvalidOperationException(
        $"{folder} is in use: {Holder(folder)} writes to it just now. Wait until that ends, or stop it; then go on from what it leaves. Or give another folder.");

    /// <summary>Throws where somebody has the lock now, and leaves nothing in the folder.</summary>
    /// <inheritdoc cref="Take"/>
    public static void Check(string folder)
    {
        if (File.Exists(Path.Combine(folder, Name))) Take(folder).Dispose();
    }

    /// <summary>Takes the lock; null where somebody else has it.</summary>
    /// <inheritdoc cref="Take"/>
    public static FolderLock? TryTake(string folder)
    {
        var path = Path.Combine(folder, Name);
        while (true)
        {
            FileStream file;
            try
            {
                file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 0);
            }
            catch (IOException e) when (IsShared(e.HResult))
            {
                return null;
            }

            file.SetLength(Environment.ProcessId);
            if (IsStillThere(file, path)) return new(file);
            file.Dispose();
        }
    }

    /// <summary>Gives the folder back.</summary>
    public void Dispose()
    {
        // Windows deletes no file that is open; elsewhere a name is taken away while it is still locked, so that nobody else's is.
        if (OperatingSystem.IsWindows()) file.Dispose();
        try
        {
            File.Delete(file.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On Windows the next one may have it already. A file that stays is no lock.
        }

        file.Dispose();
    }

    // Between opening and locking, whoever had it before may have deleted the file, and a third may have made a new one. Nobody but its holder reaches a
    // locked file past its name: if the time written by name is read from the file that is held, both are one.
    static bool IsStillThere(FileStream file, string path)
    {
        if (OperatingSystem.IsWindows()) return true;
        var (before, mark) = (new DateTime(2000, 1, 1, 0, 0, 0, DateTimeKind.Utc), new DateTime(2001, 1, 1, 0, 0, 0, DateTimeKind.Utc));
        File.SetLastWriteTimeUtc(file.SafeFileHandle, before);
        try
        {
            File.SetLastWriteTimeUtc(path, mark);
        }
        catch (FileNotFoundException)
        {
            return false;
        }

        return File.GetLastWriteTimeUtc(file.SafeFileHandle) == mark;
    }

    static string Holder(string folder)
    {
        var file = new FileInfo(Path.Combine(folder, Name));
        return !file.Exists || file.Length == 0 ? "another process"
            : file.Length == Environment.ProcessId ? "this process (another thread, or an earlier call that is under way)"
            : string.Create(CultureInfo.InvariantCulture, $"process {file.Length}");
    }

    // EWOULDBLOCK on Linux and on macOS; ERROR_SHARING_VIOLATION.
    static bool IsShared(int code) => code is 11 or 35 or unchecked((int)0x80070020);
}
