using System.Globalization;

namespace QuadEngine.Models;

/// <summary>
/// A lock on a folder, so that one trainer or experiment at a time writes to it, in this process or in another. The lock is a file in the folder that is held open, so
/// the system releases it when the process ends, even after a crash.
/// </summary>
/// <remarks>No other process can read a locked file, but every process sees its length, which is the number of the process that holds the lock.</remarks>
sealed class FolderLock : IDisposable
{
    const string Name = "run.lock";

    readonly FileStream file;

    FolderLock(FileStream file) => this.file = file;

    /// <summary>Takes the lock.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <exception cref="InvalidOperationException">The lock is held already; the message names the process.</exception>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    public static FolderLock Take(string folder) => TryTake(folder) ?? throw new InvalidOperationException(
        $"{folder} is in use: {Holder(folder)} is writing to it. Wait until it ends, or stop it, and then resume the run. Or give another folder.");

    /// <summary>Throws if the lock is held now. Leaves nothing in the folder.</summary>
    /// <inheritdoc cref="Take"/>
    public static void Check(string folder)
    {
        if (File.Exists(Path.Combine(folder, Name))) Take(folder).Dispose();
    }

    /// <summary>Takes the lock; returns null if it is held already.</summary>
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

    /// <summary>Releases the lock.</summary>
    public void Dispose()
    {
        // Windows cannot delete an open file. Other systems delete the name while the file is still locked, so that they do not delete the file of the next holder.
        if (OperatingSystem.IsWindows()) file.Dispose();
        try
        {
            File.Delete(file.Name);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // On Windows the next holder may have the file already. A file that stays is not a lock.
        }

        file.Dispose();
    }

    // Between opening and locking, the previous holder may have deleted the file, and another process may have made a new one. Nobody can open a locked
    // file a second time, so the check writes a time by name and reads it from the open file. If it is there, the name still leads to the open file.
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
            : file.Length == Environment.ProcessId ? "this process (another thread, or an earlier call that has not ended)"
            : string.Create(CultureInfo.InvariantCulture, $"process {file.Length}");
    }

    // EWOULDBLOCK on Linux and on macOS, and ERROR_SHARING_VIOLATION.
    static bool IsShared(int code) => code is 11 or 35 or unchecked((int)0x80070020);
}
