using System.Buffers.Binary;
using System.Text;

namespace QuadEngine;

/// <summary>
/// The positions of a zip's entries in a mapped file (PKWARE APPNOTE 6.3, with the 64-bit extensions). It accepts only uncompressed entries,
/// as PyTorch writes them. So no tensor is unpacked, and a zip bomb is impossible.
/// </summary>
internal sealed class ZipDirectory
{
    const uint LocalSignature = 0x04034B50, CentralSignature = 0x02014B50, EndSignature = 0x06054B50;
    const uint End64Signature = 0x06064B50, Locator64Signature = 0x07064B50;
    const int EndLength = 22, LocatorLength = 20, End64Length = 56, CentralLength = 46, LocalLength = 30;
    const ushort Extra64 = 1;

    readonly MappedFile file;
    readonly OrderedDictionary<string, Entry> entries = [];

    public ZipDirectory(MappedFile file)
    {
        this.file = file;
        var (offset, count) = FindDirectory();
        for (var i = 0L; i < count; i++)
            offset = ReadEntry(offset);
    }

    public IEnumerable<string> Names => entries.Keys;

    public static bool Looks(MappedFile file) => file.Length >= 4 && BinaryPrimitives.ReadUInt32LittleEndian(file.Slice(0, 4)) == LocalSignature;

    /// <summary>The bytes of an entry.</summary>
    public (long Offset, long Length) Find(string name) => TryFind(name, out var offset, out var length)
        ? (offset, length)
        : throw Invalid(0, $"the entry \"{name}\" is missing");

    public bool TryFind(string name, out long offset, out long length)
    {
        (offset, length) = (0, 0);
        if (!entries.TryGetValue(name, out var entry))
            return false;
        if (!entry.IsStored)
            throw new InvalidFileException(file.Path, $"zip entry \"{name}\"", "it is compressed or encrypted, which torch.save never does",
                "Unpack the file and pack it again without compression, or save it again.");

        var local = file.Slice(entry.Local, LocalLength);
        if (U32(local, 0) != LocalSignature)
            throw Invalid(entry.Local, $"the header of \"{name}\" is not here");
        offset = entry.Local + LocalLength + U16(local, 26) + U16(local, 28);
        length = entry.Length;
        file.Require(offset, length);
        CheckContent(name, entry, offset);
        return true;
    }

    // Each entry is checked once, because many tensors may use one storage. PyTorch has an option to omit the checksum, and then writes 0.
    void CheckContent(string name, Entry entry, long offset)
    {
        const int chunk = 1 << 20;
        if (entry.IsChecked || entry.Checksum == 0) return;
        var checksum = 0u;
        for (var start = 0L; start < entry.Length; start += chunk) checksum = Crc32.Append(checksum, file.Slice(offset + start, (int)Math.Min(chunk, entry.Length - start)));
        if (checksum != entry.Checksum)
            throw new InvalidFileException(file.Path, $"zip entry \"{name}\"", $"the checksum of its {entry.Length} bytes is {checksum:x8} but it was saved as {entry.Checksum:x8}");
        entry.IsChecked = true;
    }

    // The end record is the last part of the file, except for a comment, whose length it gives.
    (long Offset, long Count) FindDirectory()
    {
        var tailLength = (int)Math.Min(file.Length, EndLength + ushort.MaxValue);
        var tailStart = file.Length - tailLength;
        var tail = file.Slice(tailStart, tailLength);
        for (var at = tailLength - EndLength; at >= 0; at--)
        {
            if (U32(tail, at) != EndSignature || U16(tail, at + 20) != tailLength - at - EndLength)
                continue;
            var (count, offset) = (U16(tail, at + 10), U32(tail, at + 16));
            return count == ushort.MaxValue || offset == uint.MaxValue ? FindDirectory64(tailStart + at) : (offset, count);
        }
        throw Invalid(file.Length, "the zip's directory is missing");
    }

    (long Offset, long Count) FindDirectory64(long end)
    {
        var locator = file.Slice(end - LocatorLength, LocatorLength);
        if (U32(locator, 0) != Locator64Signature)
            throw Invalid(end - LocatorLength, "the locator of the zip's 64-bit directory is not here");
        var at = I64(locator, 8);
        var record = file.Slice(at, End64Length);
        if (U32(record, 0) != End64Signature)
            throw Invalid(at, "the zip's 64-bit end record is not here");
        return (I64(record, 48), I64(record, 32));
    }

    long ReadEntry(long offset)
    {
        var header = file.Slice(offset, CentralLength);
        if (U32(header, 0) != CentralSignature)
            throw Invalid(offset, "an entry of the zip's directory is not here");
        var (nameLength, extraLength, commentLength) = (U16(header, 28), U16(header, 30), U16(header, 32));
        var name = Encoding.UTF8.GetString(file.Slice(offset + CentralLength, nameLength));
        var extra = file.Slice(offset + CentralLength + nameLength, extraLength);

        // The extra field holds only the sizes that do not fit in 32 bits, in this order.
        var wide = Wide(extra);
        var used = 0;
        long Widen(uint value, ReadOnlySpan<byte> fields)
        {
            if (value != uint.MaxValue)
                return value;
            if (fields.Length < used + sizeof(long))
                throw Invalid(offset, $"the 64-bit sizes of \"{name}\" are missing");
            used += sizeof(long);
            return I64(fields, used - sizeof(long));
        }
        var length = Widen(U32(header, 24), wide);
        var packedLength = Widen(U32(header, 20), wide);
        var local = Widen(U32(header, 42), wide);

        var (flags, method) = (U16(header, 8), U16(header, 10));
        var isStored = method == 0 && (flags & 1) == 0 && packedLength == length;
        if (!entries.TryAdd(name, new Entry(local, length, isStored, U32(header, 16))))
            throw Invalid(offset, $"the entry \"{name}\" appears twice");
        return offset + CentralLength + nameLength + extraLength + commentLength;
    }

    static ReadOnlySpan<byte> Wide(ReadOnlySpan<byte> extra)
    {
        while (extra.Length >= 4)
        {
            var (id, length) = (U16(extra, 0), Math.Min(U16(extra, 2), extra.Length - 4));
            if (id == Extra64)
                return extra.Slice(4, length);
            extra = extra[(4 + length)..];
        }
        return [];
    }

    static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);

    static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);

    static long I64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);

    InvalidFileException Invalid(long offset, string problem) => new(file.Path, $"byte {offset}", problem);

    sealed record Entry(long Local, long Length, bool IsStored, uint Checksum)
    {
        public bool IsChecked { get; set; }
    }
}
