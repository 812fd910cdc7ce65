using System.Buffers.Binary;
using System.IO.Compression;
using QuadEngine.Data;
using QuadEngine.Tests.Formats;

namespace QuadEngine.Tests.Images;

[Parallelizable(ParallelScope.All)]
public class PictureFuzzTests
{
    [Test]
    public void Damaged_jpeg_is_read_or_refused() => Run("jpeg", number => FuzzedReading.Damaged(Seeds("jpeg"), number), bytesOfAByte: 8_000);

    [Test]
    public void Damaged_png_is_read_or_refused() => Run("png", number => FuzzedReading.Damaged(Seeds("png"), number), bytesOfAByte: 40_000);

    [Test]
    public void Damaged_png_with_right_checksums_is_read_or_refused() => Run("png with right checksums", number => Checksummed(FuzzedReading.Damaged(Seeds("png"), number)), bytesOfAByte: 40_000);

    [Test]
    public void Damaged_rows_of_a_png_are_read_or_refused() => Run("rows of png", DamagedRows, bytesOfAByte: 40_000);

    [Test]
    public void Damaged_bmp_is_read_or_refused() => Run("bmp", number => FuzzedReading.Damaged(Seeds("bmp"), number), bytesOfAByte: 2_000);

    static void Run(string name, Func<int, byte[]> make, int bytesOfAByte) => FuzzedReading.Run(name, make, input =>
    {
        var picture = Picture.Read(input);
        var head = PictureFormat.Head(input);
        if ((head.Height, head.Width) != (picture.Height, picture.Width)) Assert.Fail("the head says another size");
        return picture.Pixels;
    }, bytesOfAByte);

    static byte[][] Seeds(string format) => [.. ReferencePicture.All.Where(picture => picture.Name.StartsWith(format, StringComparison.Ordinal)).Select(picture => picture.File)];

    /// <summary>Returns the file with correct checksums for its chunks, as far as there are chunks, so that the damage is behind the checksums.</summary>
    static byte[] Checksummed(byte[] png)
    {
        for (var at = 8; at + 12 <= png.Length;)
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(png.AsSpan(at));
            if (length > png.Length - at - 12) break;
            BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(at + 8 + (int)length), Png.Crc(png.AsSpan(at + 4, 4), png.AsSpan(at + 8, (int)length)));
            at += 12 + (int)length;
        }

        return png;
    }

    /// <summary>Makes a PNG with damage only in its header and rows: filters, palettes, depths.</summary>
    static byte[] DamagedRows(int number)
    {
        var seeds = Seeds("png");
        var seed = seeds[number % seeds.Length];
        using var png = new MemoryStream();
        png.Write(seed.AsSpan(0, 8));
        for (var at = 8; at < seed.Length;)
        {
            var length = BinaryPrimitives.ReadInt32BigEndian(seed.AsSpan(at));
            var (kind, data) = (seed.AsSpan(at + 4, 4).ToArray(), seed.AsSpan(at + 8, length).ToArray());
            at += 12 + length;
            if (kind.AsSpan().SequenceEqual("IDAT"u8))
            {
                using var rows = new MemoryStream();
                using (var zlib = new ZLibStream(new MemoryStream(data), CompressionMode.Decompress)) zlib.CopyTo(rows);
                using var damaged = new MemoryStream();
                using (var zlib = new ZLibStream(damaged, CompressionLevel.Fastest, leaveOpen: true)) zlib.Write(FuzzTests.Mutate(rows.ToArray(), new SplitMix64((ulong)number)));
                data = damaged.ToArray();
            }
            else if (kind.AsSpan().SequenceEqual("IHDR"u8) && number % 4 == 0) data[8 + number / 4 % 5] ^= (byte)(1 << number / 20 % 5);

            PngWriter.Chunk(png, kind, data);
        }

        return png.ToArray();
    }
}
