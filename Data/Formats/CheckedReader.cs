using System.Buffers.Binary;
using System.IO.Compression;

namespace QuadEngine.Data.Formats;

/// <summary>
/// Reads a data file from front to back, plain or gzip. The content decides, because browsers unpack files and keep the name. If the
/// file is too short, too long or unreadable, the reader throws an <see cref="InvalidFileException"/> with the offset.
/// </summary>
sealed class CheckedReader : IDisposable
{
    // A gzip file unpacks to at most about 1032 times its size (RFC 1951: 258 bytes from 2 bits), so a damaged count
    // is refused before memory is allocated for it.
    const long MaxExpansion = 1032;

    readonly string path;
    readonly FileStream file;
    readonly Stream content;
    readonly long maxLength;
    long offset;

    public CheckedReader(string path)
    {
        this.path = path;
        file = File.OpenRead(path);
        var gzip = file.ReadByte() == 0x1F && file.ReadByte() == 0x8B;
        file.Position = 0;
        content = gzip ? new GZipStream(file, CompressionMode.Decompress) : file;
        maxLength = gzip ? file.Length * MaxExpansion : file.Length;
    }

    /// <summary>The offset of the next byte in the (decompressed) content.</summary>
    public long Offset => offset;

    public uint ReadUInt32BigEndian(string what)
    {
        Span<byte> bytes = stackalloc byte[4];
        Read(bytes, what);
        return BinaryPrimitives.ReadUInt32BigEndian(bytes);
    }

    /// <summary>Reads a number of bytes into a new array.</summary>
    public byte[] ReadBytes(long count, string what)
    {
        if (count > maxLength - offset)
            throw Damage(offset, $"its header announces {count:N0} bytes of {what}, more than a file of {file.Length:N0} bytes can hold");

        if (count > Array.MaxLength)
            throw Damage(offset, $"its header announces {count:N0} bytes of {what}, more than fits in memory ({Array.MaxLength:N0})");

        var bytes = new byte[count];
        Read(bytes, what);
        return bytes;
    }

    public void Read(Span<byte> bytes, string what)
    {
        var at = offset;
        var got = Fill(bytes);
        if (got < bytes.Length)
            throw Damage(offset, $"it ends after {got:N0} of {bytes.Length:N0} bytes of {what} (which start at offset {at})");
    }

    /// <summary>Throws if the file continues after its last field.</summary>
    public void ExpectEnd()
    {
        Span<byte> one = stackalloc byte[1];
        var end = offset;
        if (Fill(one) > 0)
            throw Damage(end, "it should end here, but it continues");
    }

    /// <summary>Returns the exception for an error at an offset.</summary>
    public InvalidFileException Damage(long at, string problem) => Damage(path, at, problem);

    public static InvalidFileException Damage(string path, long at, string problem) =>
        new(path, $"offset {at}", problem, "The file is damaged or incomplete: replace it, e.g. with `quad data get`.");

    public void Dispose()
    {
        content.Dispose();
        file.Dispose();
    }

    int Fill(Span<byte> bytes)
    {
        var got = 0;
        try
        {
            while (got < bytes.Length && content.Read(bytes[got..]) is > 0 and var read)
            {
                got += read;
                offset += read;
            }
            return got;
        }
        catch (InvalidDataException e)
        {
            throw Damage(offset, $"its gzip data cannot be decompressed from here on ({e.Message.TrimEnd('.')})");
        }
    }
}
