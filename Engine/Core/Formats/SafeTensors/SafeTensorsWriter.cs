using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace QuadEngine;

/// <summary>
/// Collects tensors and writes them as one safetensors file. The same calls give the same bytes. Wider types come first, which aligns every
/// tensor to its element. Tensors of one width are in the order in which they were added, and metadata is sorted by key.
/// </summary>
public sealed class SafeTensorsWriter
{
    const int Alignment = 8;

    readonly OrderedDictionary<string, Pending> tensors = [];

    /// <summary>Free text for the header, by key.</summary>
    public IDictionary<string, string> Metadata { get; } = new SortedDictionary<string, string>(StringComparer.Ordinal);

    /// <summary>Adds a float32 tensor.</summary>
    /// <param name="name">The name in the file; not empty.</param>
    /// <param name="tensor">The tensor. Its values are read when the file is saved, not now.</param>
    /// <exception cref="ArgumentException">The name is empty, already used, or "__metadata__", which the format reserves.</exception>
    public void Add(string name, HostTensor tensor)
    {
        ArgumentNullException.ThrowIfNull(tensor);
        Add(name, Pending.Of(ElementType.F32, tensor.Values, tensor.Shape));
    }

    /// <summary>Adds a list of exact 64-bit integers, e.g. counters.</summary>
    /// <param name="name">The name in the file; not empty.</param>
    /// <param name="values">The values. They are read when the file is saved, not now.</param>
    /// <inheritdoc cref="Add(string, HostTensor)"/>
    public void Add(string name, long[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        Add(name, Pending.Of(ElementType.I64, values, [values.Length]));
    }

    /// <summary>Adds a list of bytes.</summary>
    /// <param name="name">The name in the file; not empty.</param>
    /// <param name="values">The values. They are read when the file is saved, not now.</param>
    /// <inheritdoc cref="Add(string, HostTensor)"/>
    public void Add(string name, byte[] values)
    {
        ArgumentNullException.ThrowIfNull(values);
        Add(name, Pending.Of(ElementType.U8, values, [values.Length]));
    }

    /// <summary>Writes a temporary file and moves it into place, see <see cref="AtomicFile.Write"/>.</summary>
    /// <param name="path">The file to create or replace; its folder must exist.</param>
    /// <exception cref="IOException">The file cannot be written, e.g. the disk is full; an earlier file is untouched.</exception>
    public void Save(string path)
    {
        var ordered = tensors.OrderByDescending(t => t.Value.Type.Bits()).ToList();      // stable: insertion order within a width
        var header = Header(ordered, Metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in ordered)
                tensor.WriteTo(stream);
        });
    }

    void Add(string name, Pending tensor)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (name == SafeTensorsHeader.MetadataKey)
            throw new ArgumentException($"SafeTensorsWriter: \"{name}\" is the format's own key. Use Metadata, or another name.", nameof(name));
        if (!tensors.TryAdd(name, tensor))
            throw new ArgumentException($"SafeTensorsWriter: there is a tensor \"{name}\" already. Names must differ.", nameof(name));
    }

    // Spaces at the end align the data; offsets count from the end of the header.
    static byte[] Header(List<KeyValuePair<string, Pending>> ordered, IDictionary<string, string> metadata)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject(SafeTensorsHeader.MetadataKey);
                foreach (var (key, value) in metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            var offset = 0L;
            foreach (var (name, tensor) in ordered)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", tensor.Type.ToString());
                WriteIntegers(json, "shape", Array.ConvertAll(tensor.Shape, d => (long)d));
                WriteIntegers(json, "data_offsets", [offset, offset += tensor.Bytes]);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        var padding = (Alignment - buffer.WrittenCount % Alignment) % Alignment;
        buffer.GetSpan(padding)[..padding].Fill((byte)' ');
        buffer.Advance(padding);
        return buffer.WrittenSpan.ToArray();
    }

    static void WriteIntegers(Utf8JsonWriter json, string key, ReadOnlySpan<long> values)
    {
        json.WriteStartArray(key);
        foreach (var value in values)
            json.WriteNumberValue(value);
        json.WriteEndArray();
    }

    sealed record Pending(ElementType Type, int[] Shape, long Bytes, Action<Stream> WriteTo)
    {
        const int Chunk = 1 << 20;      // elements; a span of bytes ends at 2 GiB

        public static Pending Of<T>(ElementType type, T[] values, int[] shape) where T : unmanaged =>
            new(type, shape, (long)values.Length * type.Bits() / 8, stream =>
            {
                for (var start = 0; start < values.Length; start += Chunk)
                    stream.Write(MemoryMarshal.AsBytes(values.AsSpan(start, Math.Min(Chunk, values.Length - start))));
            });
    }
}
