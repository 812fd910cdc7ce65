using System.Buffers.Binary;

namespace QuadEngine.Data;

/// <summary>Reads a file in memory from front to back. A read beyond the end throws an <see cref="InvalidDataException"/>.</summary>
ref struct ByteReader(ReadOnlySpan<byte> bytes, bool bigEndian)
{
    readonly ReadOnlySpan<byte> bytes = bytes;

    /// <summary>The offset of the next byte.</summary>
    public int Position { get; private set; }

    public readonly int Left => bytes.Length - Position;

    public byte Byte(string what) => Bytes(1, what)[0];

    public ushort UInt16(string what)
    {
        var two = Bytes(2, what);
        return bigEndian ? BinaryPrimitives.ReadUInt16BigEndian(two) : BinaryPrimitives.ReadUInt16LittleEndian(two);
    }

    public uint UInt32(string what)
    {
        var four = Bytes(4, what);
        return bigEndian ? BinaryPrimitives.ReadUInt32BigEndian(four) : BinaryPrimitives.ReadUInt32LittleEndian(four);
    }

    public ReadOnlySpan<byte> Bytes(long count, string what)
    {
        if (count > Left) throw new InvalidDataException($"it ends after {bytes.Length:N0} bytes, in the {what}");
        var slice = bytes.Slice(Position, (int)count);
        Position += (int)count;
        return slice;
    }

    /// <summary>Goes to an offset from the start of the file.</summary>
    public void MoveTo(long offset, string what)
    {
        if (offset > bytes.Length) throw new InvalidDataException($"it ends after {bytes.Length:N0} bytes, before the {what}");
        Position = (int)offset;
    }
}
