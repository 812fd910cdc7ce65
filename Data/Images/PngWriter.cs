using System.Buffers.Binary;
using System.IO.Compression;

namespace QuadEngine.Data;

/// <summary>Writes PNG (ISO/IEC 15948): a header, one compressed stream of rows, and an end. Channels have 8 bits, and each row is stored as differences from the left neighbor pixel.</summary>
static class PngWriter
{
    const byte Sub = 1;

    public static void Write(Stream stream, Picture picture)
    {
        stream.Write(Png.Signature);

        var header = new byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, picture.Width);
        BinaryPrimitives.WriteInt32BigEndian(header.AsSpan(4), picture.Height);
        (header[8], header[9]) = (8, (byte)(picture.Channels == 1 ? 0 : 2));       // the bits; gray or RGB
        Chunk(stream, "IHDR"u8, header);
        Chunk(stream, "IDAT"u8, Compressed(picture));
        Chunk(stream, "IEND"u8, []);
    }

    static byte[] Compressed(Picture picture)
    {
        var (length, left) = (picture.Width * picture.Channels, picture.Channels);
        var row = new byte[1 + length];
        using var compressed = new MemoryStream();
        using (var zlib = new ZLibStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
            for (var h = 0; h < picture.Height; h++)
            {
                var pixels = picture.Pixels.AsSpan(h * length, length);
                row[0] = Sub;
                for (var i = 0; i < length; i++) row[1 + i] = (byte)(pixels[i] - (i < left ? 0 : pixels[i - left]));
                zlib.Write(row);
            }

        return compressed.ToArray();
    }

    internal static void Chunk(Stream stream, ReadOnlySpan<byte> kind, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, data.Length);
        stream.Write(number);
        stream.Write(kind);
        stream.Write(data);

        BinaryPrimitives.WriteUInt32BigEndian(number, Png.Crc(kind, data));
        stream.Write(number);
    }
}
