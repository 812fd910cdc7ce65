using System.IO.MemoryMappedFiles;

namespace QuadEngine;

/// <summary>
/// A file that is mapped into memory, read-only. Opening costs almost nothing, and only the pages that are accessed are read. Every access is checked
/// against the file's length. Do not use it from several threads while it is being disposed.
/// </summary>
internal sealed unsafe class MappedFile : IDisposable
{
    readonly MemoryMappedFile? map;
    readonly MemoryMappedViewAccessor? view;
    readonly UnmanagedMemoryStream? owner;
    byte* start;

    public MappedFile(string path)
    {
        Path = path;
        var kind = FileKinds.Of(path);
        if (kind == FileKind.Folder) throw new IOException($"{path} is a folder; give a file in it.");
        if (kind is FileKind.Pipe or FileKind.Device or FileKind.Other)
            throw new IOException($"{path} is a pipe or a device, and weights are read from all over a file. Write them to a file first, then pass that.");
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        Length = stream.Length;
        if (Length == 0)      // an empty file cannot be mapped; Require refuses every read of it
            return;
        map = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
        view = map.CreateViewAccessor(0, Length, MemoryMappedFileAccess.Read);
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
        start += view.PointerOffset;
    }

    /// <summary>Wraps memory that is mapped already, e.g. a resource of the program.</summary>
    public MappedFile(string path, UnmanagedMemoryStream memory)
    {
        Path = path;
        Length = memory.Length;
        owner = memory;
        start = memory.PositionPointer - memory.Position;
    }

    public string Path { get; }

    public long Length { get; }

    /// <summary>Throws if the file does not have these bytes.</summary>
    public void Require(long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > Length || length > Length - offset)
            throw new InvalidFileException(Path, $"byte {offset}", $"{length} bytes are needed here but the file ends at byte {Length}");
    }

    public ReadOnlySpan<byte> Slice(long offset, int length)
    {
        Require(offset, length);
        if (length == 0)
            return [];
        ObjectDisposedException.ThrowIf(start is null, this);
        return new ReadOnlySpan<byte>(start + offset, length);
    }

    public void Dispose()
    {
        if (start is null)
            return;
        start = null;
        owner?.Dispose();
        view?.SafeMemoryMappedViewHandle.ReleasePointer();
        view?.Dispose();
        map?.Dispose();
    }
}
