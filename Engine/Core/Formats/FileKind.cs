using System.Runtime.InteropServices;
using System.Text;

namespace QuadEngine;

/// <summary>The kind of file at a path, after following links.</summary>
internal enum FileKind
{
    /// <summary>There is nothing, or a link without a target.</summary>
    Missing,

    /// <summary>A regular file. It may be mapped into memory, and a new file may replace it.</summary>
    Plain,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A pipe: a FIFO, or the pipe that a shell makes for <c>&lt;(...)</c>.</summary>
    Pipe,

    /// <summary>A character device, e.g. /dev/null.</summary>
    Device,

    /// <summary>A whole disk, or a socket.</summary>
    Other,
}

/// <summary>Finds the kind of a file.</summary>
internal static class FileKinds
{
    const int Success = 0, ModeOffset = 4, StatusBytes = 256;

    /// <summary>The kind of file at a path.</summary>
    public static FileKind Of(string path)
    {
        var full = Path.GetFullPath(path);
        if (Directory.Exists(full)) return FileKind.Folder;
        if (OperatingSystem.IsWindows()) return full.StartsWith(@"\\.\", StringComparison.Ordinal) ? FileKind.Device : File.Exists(full) ? FileKind.Plain : FileKind.Missing;
        return Mode(full) is not { } mode ? FileKind.Missing : (mode & 0xF000) switch
        {
            0x8000 => FileKind.Plain,
            0x4000 => FileKind.Folder,
            0x1000 => FileKind.Pipe,
            0x2000 => FileKind.Device,
            _ => FileKind.Other,
        };
    }

    // Returns st_mode. File.GetUnixFileMode reads it too but drops the kind. The call and its struct are those of .NET's own library on
    // every Unix; its second field is the mode.
    static unsafe int? Mode(string path)
    {
        var name = Encoding.UTF8.GetBytes(path + '\0');
        var status = stackalloc byte[StatusBytes];
        fixed (byte* start = name) return Stat(start, status) == Success ? *(int*)(status + ModeOffset) : null;
    }

    [DllImport("libSystem.Native", EntryPoint = "SystemNative_Stat")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern unsafe int Stat(byte* path, byte* status);
}
