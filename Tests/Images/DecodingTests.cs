using System.Diagnostics;
using System.Text;
using QuadEngine.Data;

namespace QuadEngine.Tests.Images;

public class DecodingTests
{
    [TestCaseSource(typeof(ReferencePicture), nameof(ReferencePicture.All))]
    public void Pixels_are_those_that_Pillow_reads(ReferencePicture reference)
    {
        var picture = Picture.Read(reference.File);
        Assert.That((picture.Width, picture.Height), Is.EqualTo((reference.Width, reference.Height)));
        Assert.That(Png.Crc([], picture.Pixels), Is.EqualTo(reference.Checksum));
    }

    [TestCaseSource(typeof(ReferencePicture), nameof(ReferencePicture.All))]
    public void Head_says_what_decoding_gives(ReferencePicture reference)
    {
        var (head, picture) = (PictureFormat.Head(reference.File), PictureFormat.Decode(reference.File));
        Assert.That((head.Height, head.Width, head.Channels), Is.EqualTo((picture.Height, picture.Width, picture.Channels)));
    }

    [TestCaseSource(typeof(ReferencePicture), nameof(ReferencePicture.All))]
    public void File_that_is_cut_anywhere_is_refused(ReferencePicture reference)
    {
        // Bytes after the end of the picture may be missing.
        var whole = Picture.Read(reference.File).Pixels;
        var behind = reference.Name switch { "jpeg-trailing" => 200, var name when name.StartsWith("bmp", StringComparison.Ordinal) => 3, _ => 0 };
        for (var length = 0; length < reference.File.Length; length++)
        {
            byte[]? pixels = null;
            try
            {
                pixels = Picture.Read(reference.File.AsSpan(0, length)).Pixels;
            }
            catch (InvalidFileException)
            {
                continue;
            }

            Assert.That(length, Is.GreaterThanOrEqualTo(reference.File.Length - behind));
            Assert.That(pixels, Is.EqualTo(whole));
        }
    }

    [Test]
    public void Path_stream_and_span_are_one()
    {
        using var files = new ImageFiles();
        var (path, expected) = (files.Write("a.png", ImageFiles.Waves(9, 11)), ImageFiles.Waves(9, 11).Pixels);
        using var stream = File.OpenRead(path);
        using var later = new MemoryStream([1, 2, 3, .. File.ReadAllBytes(path)]) { Position = 3 };
        using var unseekable = new System.IO.Compression.BrotliStream(Compressed(File.ReadAllBytes(path)), System.IO.Compression.CompressionMode.Decompress);
        foreach (var picture in new[] { Picture.Read(path), Picture.Read(stream), Picture.Read(later), Picture.Read(unseekable), Picture.Read(File.ReadAllBytes(path)) }) Assert.That(picture.Pixels, Is.EqualTo(expected));
        Assert.That(Picture.Read(File.ReadAllBytes(path), channels: 1).Pixels, Is.EqualTo(Picture.Read(path, 1).Pixels));
        Assert.That(() => Picture.Read("no picture"u8, name: "upload"), Throws.TypeOf<InvalidFileException>().With.Message.StartsWith("upload: "));
        Assert.That(() => Picture.Read(File.ReadAllBytes(path), channels: 2), Throws.ArgumentException.With.Message.Contains("2 channels"));

        static MemoryStream Compressed(byte[] bytes)
        {
            var compressed = new MemoryStream();
            using (var brotli = new System.IO.Compression.BrotliStream(compressed, System.IO.Compression.CompressionLevel.Fastest, leaveOpen: true)) brotli.Write(bytes);
            compressed.Position = 0;
            return compressed;
        }
    }

    [TestCase("GIF89a....", "GIF")]
    [TestCase("RIFF....WEBPVP8 ", "WebP")]
    [TestCase("II*\0........", "TIFF")]
    [TestCase("\0\0\0\u0018ftypheic....", "HEIC")]
    [TestCase("8BPS", "Photoshop")]
    [TestCase("%PDF-1.4", "PDF")]
    [TestCase("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull")]
    [TestCase("<!DOCTYPE html>\n<html>", "text that starts with \"<!DOCTYPE html> <html>\"")]
    [TestCase("\0\0\0\0", "only zeros")]
    [TestCase("", "empty")]
    [TestCase("\u0001\u0002\u0003", "none of them")]
    public void File_of_another_kind_is_told_what_it_is(string content, string says) =>
        Assert.That(() => Picture.Read(Encoding.Latin1.GetBytes(content)), Throws.TypeOf<InvalidFileException>().With.Message.Contains(says).And.Message.Contains("PNG, JPEG or BMP"));

    [TestCase("jpeg-420", 0xC0, 5, "FFDCFFDC", "65,500 x 65,500")]
    [TestCase("jpeg-420", 0xC0, 5, "2EE02EE0", "cannot hold")]
    [TestCase("jpeg-420", 0xC0, 5, "00000025", "37 x 0")]
    public void Size_that_no_file_has_is_refused_before_memory_is_taken(string name, int marker, int at, string bytes, string says)
    {
        var file = (byte[])ReferencePicture.Get(name).File.Clone();
        var head = file.AsSpan().IndexOf([(byte)0xFF, (byte)marker]);
        Convert.FromHexString(bytes).CopyTo(file, head + at);
        RefusedWithoutMemory(file, says);
    }

    [Test]
    public void Bombs_are_refused_before_memory_is_taken()
    {
        var png = (byte[])ReferencePicture.Get("png-one").File.Clone();
        Convert.FromHexString("000027100000" + "2710").CopyTo(png, 16);       // 10,000 x 10,000 in the header
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(png.AsSpan(29), Png.Crc("IHDR"u8, png.AsSpan(16, 13)));
        RefusedWithoutMemory(png, "cannot hold");

        var bmp = (byte[])ReferencePicture.Get("bmp-runs-8").File.Clone();
        Convert.FromHexString("10270000" + "10270000").CopyTo(bmp, 18);
        RefusedWithoutMemory(bmp, "cannot hold");
    }

    [Test]
    public void Orientation_is_read_in_either_byte_order_and_damage_in_it_is_no_damage()
    {
        byte[] little = Convert.FromHexString("49492A00080000000100120103000100000006000000" + "00000000"), big = Convert.FromHexString("4D4D002A00000008000101120003000000010008" + "000000000000");
        Assert.That((Orientation.Read(little), Orientation.Read(big)), Is.EqualTo((6, 8)));
        for (var length = 0; length < 20; length++) Assert.That(Orientation.Read(little.AsSpan(0, length)), Is.EqualTo(Orientation.Upright).Or.EqualTo(6));
        little[18] = 9;
        Assert.That(Orientation.Read(little), Is.EqualTo(Orientation.Upright));
    }

    [Test]
    public void Named_pipes_devices_and_broken_links_are_answered_at_once()
    {
        if (OperatingSystem.IsWindows()) Assert.Ignore("links and pipes of Unix");
        using var files = new ImageFiles();
        var pipe = Path.Combine(files.Folder, "pipe.png");
        Process.Start("mkfifo", [pipe]).WaitForExit();
        File.CreateSymbolicLink(Path.Combine(files.Folder, "to-pipe.png"), pipe);
        File.CreateSymbolicLink(Path.Combine(files.Folder, "broken.png"), "nowhere.png");
        foreach (var path in new[] { pipe, Path.Combine(files.Folder, "to-pipe.png"), "/dev/zero" })
            Assert.That(() => Picture.Read(path), Throws.TypeOf<InvalidFileException>().With.Message.Contains("it is a pipe or a device"));
        Assert.That(() => Picture.Read(Path.Combine(files.Folder, "broken.png")), Throws.TypeOf<InvalidFileException>().With.Message.Contains("link to nowhere.png").And.Message.Contains("Repair"));
    }

    [Test]
    public void Pipe_of_a_shell_is_read()
    {
        if (!OperatingSystem.IsLinux()) Assert.Ignore("/dev/fd of Linux");
        var reference = ReferencePicture.Get("jpeg-420");
        using var writer = new System.IO.Pipes.AnonymousPipeServerStream(System.IO.Pipes.PipeDirection.Out);
        using var reader = new System.IO.Pipes.AnonymousPipeClientStream(System.IO.Pipes.PipeDirection.In, writer.GetClientHandleAsString());
        writer.Write(reference.File);
        writer.Dispose();
        Assert.That(Png.Crc([], Picture.Read($"/dev/fd/{reader.SafePipeHandle.DangerousGetHandle()}").Pixels), Is.EqualTo(reference.Checksum));
    }

    static void RefusedWithoutMemory(byte[] file, string says)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.That(() => Picture.Read(file), Throws.TypeOf<InvalidFileException>().With.Message.Contains(says));
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(1 << 20));
    }
}
