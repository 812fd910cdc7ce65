using System.Runtime.InteropServices;
using System.Text;

namespace QuadEngine;

/// <summary>What a path leads to, links followed.</summary>
internal enum FileKind
{
    /// <summary>Nothing is there, or a link that leads nowhere.</summary>
    Missing,

    /// <summary>Bytes on a disk: what may be mapped into memory, and what a new file may take the place of.</summary>
    Plain,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A pipe: a FIFO, or what a shell makes of <c>&lt;(...)</c>.</summary>
    Pipe,

    /// <summary>A device of bytes, as /dev/null.</summary>
    Device,

    /// <summary>A disk as a whole, or a socket.</summary>
    Other,
}

/// <summary>Tells kinds of files apart.</summary>
internal static class FileKinds
{
    const int Success = 0, ModeOffset = 4, StatusBytes = 256;

    /// <summary>What is at a path.</summary>
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

    // st_mode, which .NET reads for File.GetUnixFileMode but gives back without the kind. The call and its struct are those of .NET's own library on
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
