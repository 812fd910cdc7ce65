using static QuadEngine.Tests.Formats.TorchBytes;

namespace QuadEngine.Tests.Formats;

public class WeightFileTests
{
    [Test]
    public void Format_is_told_by_the_content_not_the_name()
    {
        using var files = new FormatFiles();
        var state = StateDict(("x", Tensor(Storage("0", "FloatStorage", 2), 0, [2], [1])));
        SafeTensors.Write(files.PathOf("a.bin"), new Dictionary<string, HostTensor> { ["x"] = new([1f, 2f], 2) });
        files.Write("b.bin", Zip(state, ("0", Bytes(1f, 2f))));
        files.Write("c.bin", Legacy(state, ("0", 2, Bytes(1f, 2f))));

        foreach (var name in new[] { "a.bin", "b.bin", "c.bin" })
            Assert.That(WeightFile.Read(files.PathOf(name))["x"].Values, Is.EqualTo([1f, 2f]), name);
    }

    [Test]
    public void Header_whose_length_starts_like_a_pickle_is_no_pickle()
    {
        using var files = new FormatFiles();
        const byte pickleStart = 0x80;
        var path = files.PathOf("a.safetensors");
        var padding = "";      // lengthens the header until the low byte of its length equals a pickle's first operation
        do SafeTensors.Write(path, new Dictionary<string, HostTensor> { ["x"] = new([1f], 1) }, [new("padding", padding += "        ")]);
        while (File.ReadAllBytes(path)[0] != pickleStart);

        Assert.That(WeightFile.Read(path)["x"].Values, Is.EqualTo([1f]));
    }

    [TestCase("")]
    [TestCase("P")]
    [TestCase("GGUF and more of it")]
    public void Unknown_format_is_answered_by_the_known_ones(string content)
    {
        using var files = new FormatFiles();
        var path = files.Write("unknown", System.Text.Encoding.ASCII.GetBytes(content));
        Assert.That(() => WeightFile.Read(path), Throws.TypeOf<InvalidFileException>()
            .With.Message.Contains(path).And.Message.Contains("safetensors").And.Message.Contains("torch.save").And.Message.Contains($"{content.Length} bytes"));
    }

    [Test]
    public void Folder_is_no_file()
    {
        using var files = new FormatFiles();
        Assert.That(() => WeightFile.Read(files.Folder), Throws.TypeOf<IOException>().With.Message.Contains(files.Folder).And.Message.Contains("is a folder"));
    }

    [Test]
    public void Missing_file_is_named()
    {
        using var files = new FormatFiles();
        Assert.That(() => WeightFile.Read(files.PathOf("nothing")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("nothing"));
    }

    [TestCase("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1099231\n", "Git LFS", "git lfs pull")]
    [TestCase("<!DOCTYPE html><html><head><title>Virus scan warning</title></head></html>", "web page", "Virus scan")]
    [TestCase("<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>", "XML", "AccessDenied")]
    [TestCase("{\"metadata\": {\"total_size\": 1}, \"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\"}}", "index of weights", "parts")]
    [TestCase("Not Found, sorry", "is text", "Not Found, sorry")]
    public void Text_in_the_place_of_weights_is_told_as_what_it_is(string content, string kind, string cure)
    {
        using var files = new FormatFiles();
        var path = files.Write("model.safetensors", System.Text.Encoding.UTF8.GetBytes(content));
        foreach (var read in new Action[] { () => WeightFile.Read(path), () => SafeTensors.Open(path).Dispose() })
            Assert.That(() => read(), Throws.TypeOf<InvalidFileException>().With.Message.Contains(path).And.Message.Contains(kind).And.Message.Contains(cure));
    }

    [Test]
    public void Compressed_file_is_told_as_such()
    {
        using var files = new FormatFiles();
        Assert.That(() => WeightFile.Read(files.Write("w.gz", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3])), Throws.TypeOf<InvalidFileException>().With.Message.Contains("gzip"));
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void Pipe_is_refused_at_once()
    {
        using var files = new FormatFiles();
        var pipe = files.PathOf("pipe");
        System.Diagnostics.Process.Start("mkfifo", [pipe]).WaitForExit();
        Assert.That(() => WeightFile.Read(pipe), Throws.TypeOf<IOException>().With.Message.Contains(pipe).And.Message.Contains("pipe"));
        Assert.That(() => WeightFile.Read("/dev/null"), Throws.TypeOf<IOException>().With.Message.Contains("/dev/null"));
    }
}
