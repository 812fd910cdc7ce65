using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace QuadEngine;

/// <summary>
/// A safetensors file (https://github.com/huggingface/safetensors): eight bytes of header length, a JSON header, the tensors' bytes.
/// The file is memory-mapped: opening reads the header, and each tensor is read when it is requested.
/// <code>
/// using var file = SafeTensors.Open("resnet20.safetensors");
/// foreach (var name in file.Names) Console.WriteLine($"{name} {file.Read(name)}");
/// </code>
/// </summary>
/// <remarks>
/// The whole header is checked on opening (names, types, shapes, sizes, holes, overlaps). A file that passes can be read without
/// further errors. Allocations never exceed the size of the file's own data as float32.
/// </remarks>
public sealed class SafeTensors : IDisposable
{
    /// <summary>The longest header that is read, as in the reference implementation.</summary>
    const long MaxHeaderLength = 100_000_000;

    const int LengthBytes = 8;

    readonly MappedFile file;
    readonly OrderedDictionary<string, SafeTensorsEntry> entries;
    readonly long dataStart;

    internal SafeTensors(MappedFile file)
    {
        this.file = file;
        if (file.Length < LengthBytes)
            throw new InvalidFileException(file.Path, "byte 0", $"the file has {file.Length} bytes, fewer than the {LengthBytes} of a header's length");

        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(file.Slice(0, LengthBytes));
        var limit = Math.Min(file.Length - LengthBytes, MaxHeaderLength);
        if (headerLength > (ulong)limit)
            throw !Looks(file) && UnknownContent.Of(file) is { } content ? new InvalidFileException(file.Path, "", content.Problem, content.Fix) : new InvalidFileException(file.Path, "byte 0", $"the header is said to have {headerLength} bytes, beyond the {limit} that it can have");

        dataStart = LengthBytes + (long)headerLength;
        var header = SafeTensorsHeader.Parse(file.Path, file.Slice(LengthBytes, (int)headerLength), file.Length - dataStart);
        entries = header.Entries;
        Metadata = header.Metadata;
    }

    /// <summary>The tensors' names, in the header's order.</summary>
    public IReadOnlyList<string> Names => entries.Keys;

    /// <summary>The header's free text, by key; empty if it has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Opens a file and checks its header.</summary>
    /// <param name="path">The file, under any name; it stays mapped until the result is disposed.</param>
    /// <exception cref="InvalidFileException">The file is not a safetensors file, or it is damaged.</exception>
    /// <exception cref="IOException">The file is missing or cannot be read.</exception>
    public static SafeTensors Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        return Open(new MappedFile(path));
    }

    /// <summary>Opens a file that is completely in memory, without a copy. <c>Assembly.GetManifestResourceStream</c> gives such memory for an embedded file.</summary>
    /// <param name="memory">The memory. The result takes it over and disposes it.</param>
    /// <param name="name">The name of the file in messages.</param>
    /// <exception cref="InvalidFileException">The memory is not a safetensors file, or it is damaged.</exception>
    public static SafeTensors Open(UnmanagedMemoryStream memory, string name)
    {
        ArgumentNullException.ThrowIfNull(memory);
        return Open(new MappedFile(name, memory));
    }

    static SafeTensors Open(MappedFile file)
    {
        try
        {
            return new SafeTensors(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Writes float32 tensors by name. <see cref="SafeTensorsWriter"/> writes other types too.</summary>
    /// <param name="path">The file to create or replace, see <see cref="AtomicFile.Write"/>.</param>
    /// <param name="tensors">Names and tensors, in the order of the file; each name only once.</param>
    /// <param name="metadata">Free text for the header, by key; null for none.</param>
    /// <exception cref="ArgumentException">A name or a key comes twice, or a name is empty or "__metadata__", which the format reserves.</exception>
    /// <exception cref="IOException">The file cannot be written, e.g. the disk is full; an earlier file is untouched.</exception>
    public static void Write(
        string path, IEnumerable<KeyValuePair<string, HostTensor>> tensors, IEnumerable<KeyValuePair<string, string>>? metadata = null)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        var writer = new SafeTensorsWriter();
        foreach (var (name, tensor) in tensors)
            writer.Add(name, tensor);
        foreach (var (key, value) in metadata ?? [])
            writer.Metadata.Add(key, value);
        writer.Save(path);
    }

    /// <summary>Whether the file has a tensor of this name.</summary>
    /// <param name="name">The name; upper and lower case differ.</param>
    public bool Contains(string name) => entries.ContainsKey(name);

    /// <summary>The type, shape and position of a tensor, without reading it.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    public SafeTensorsEntry Entry(string name) => entries.TryGetValue(name, out var entry)
        ? entry
        : throw new KeyNotFoundException(
            $"{file.Path} has no tensor \"{name}\". It has {entries.Count}: {string.Join(", ", Names.Take(8))}{(entries.Count > 8 ? ", ..." : "")}.");

    /// <summary>Reads a tensor of any type as float32; a complex one gets a last axis of 2 (real, imaginary).</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="InvalidFileException">A complex tensor has more parts than an array can hold.</exception>
    public HostTensor Read(string name)
    {
        var entry = Entry(name);
        if (entry.Type != ElementType.C64)
            return new HostTensor(Elements.Read(file, dataStart + entry.Start, entry.Type, entry.Count), entry.Shape);

        if (entry.Count > Array.MaxLength / 2)
            throw new InvalidFileException(file.Path, $"tensor \"{name}\"", $"{entry.Count} complex numbers are beyond what an array can hold", "Split it.");
        return new HostTensor(Elements.Read(file, dataStart + entry.Start, ElementType.F32, 2 * entry.Count), [.. entry.Shape, 2]);
    }

    /// <summary>Reads every tensor, in the header's order.</summary>
    public IReadOnlyDictionary<string, HostTensor> ReadAll()
    {
        var tensors = new OrderedDictionary<string, HostTensor>(entries.Count);
        foreach (var name in entries.Keys)
            tensors.Add(name, Read(name));
        return tensors;
    }

    /// <summary>Reads a tensor of type I64 exactly, row-major.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="KeyNotFoundException">There is no tensor of this name.</exception>
    /// <exception cref="ArgumentException">The tensor is of another type.</exception>
    public long[] ReadInt64(string name) => ReadExact<long>(name, ElementType.I64);

    /// <summary>Reads a tensor of type U8 as its bytes, row-major.</summary>
    /// <inheritdoc cref="ReadInt64"/>
    public byte[] ReadBytes(string name) => ReadExact<byte>(name, ElementType.U8);

    /// <summary>Closes the file.</summary>
    public void Dispose() => file.Dispose();

    /// <summary>Whether a file starts like one of this format: a length and an opening brace.</summary>
    internal static bool Looks(MappedFile file) => file.Length > LengthBytes && file.Slice(LengthBytes, 1)[0] == '{';

    T[] ReadExact<T>(string name, ElementType type) where T : unmanaged
    {
        var entry = Entry(name);
        if (entry.Type != type)
            throw new ArgumentException($"{file.Path}: tensor \"{name}\" is {entry.Type} where {type} is expected. Read it with Read.", nameof(name));
        var values = new T[entry.Count];
        const int Chunk = 1 << 20;
        var size = type.Bits() / 8;
        for (var start = 0; start < values.Length; start += Chunk)
        {
            var n = Math.Min(Chunk, values.Length - start);
            file.Slice(dataStart + entry.Start + (long)start * size, n * size).CopyTo(MemoryMarshal.AsBytes(values.AsSpan(start, n)));
        }
        return values;
    }
}
