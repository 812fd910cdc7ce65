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
        var padding = "";      // lengthens the header until the low byte of its length is that of a pickle's first operation
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
    public void Missing_file_is_named()
    {
        using var files = new FormatFiles();
        Assert.That(() => WeightFile.Read(files.PathOf("nothing")), Throws.TypeOf<FileNotFoundException>().With.Message.Contains("nothing"));
    }
}
