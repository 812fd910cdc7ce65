using System.IO.Compression;
using System.Text;
using static QuadEngine.Tests.Formats.TorchBytes;

namespace QuadEngine.Tests.Formats;

/// <summary>Pickles that are written to do harm. Each is refused with the name of what it tries, and none gets memory, time or stack for it.</summary>
public class HostilePickleTests
{
    static IEnumerable<TestCaseData> Globals()
    {
        yield return new("os", "system");
        yield return new("posix", "system");
        yield return new("builtins", "eval");
        yield return new("__builtin__", "exec");
        yield return new("builtins", "getattr");
        yield return new("subprocess", "Popen");
        yield return new("torch.serialization", "load");
        yield return new("torch.storage", "_load_from_bytes");
        yield return new("numpy.core.multiarray", "_reconstruct");
        yield return new("torch", "FloatStorage.from_file");
        yield return new("collections", "OrderedDict.__init__");
        yield return new("torchvision.models.resnet", "ResNet");
    }

    [TestCaseSource(nameof(Globals))]
    public void Global_beyond_tensors_is_refused_by_name(string module, string name)
    {
        var attack = Checkpoint(("state_dict", new Call(module, name, "touch /tmp/owned")));
        foreach (var protocol in new[] { 2, 4 })
        {
            var pickle = PickleWriter.Pickle(attack, protocol);
            Refuses(Zip(pickle, "little", CompressionLevel.NoCompression), $"\"{module}.{name}\"", "refused");
            Refuses(Legacy(attack, protocol), $"\"{module}.{name}\"", "refused");
        }
    }

    static IEnumerable<TestCaseData> Broken()
    {
        static TestCaseData Case(string name, string says, params object[] opcodes) =>
            new TestCaseData(opcodes.SelectMany(o => o is char c ? [(byte)c] : o is string s ? Encoding.ASCII.GetBytes(s) : (byte[])o).ToArray(), says).SetArgDisplayNames(name);

        yield return Case("NEWOBJ", "opcode 0x81", ')', ')', new byte[] { 0x81 });
        yield return Case("INST", "opcode 0x69", "(ios\nsystem\n");
        yield return Case("text integer", "opcode 0x49", "I1\n");
        yield return Case("EXT1", "opcode 0x82", new byte[] { 0x82, 1 });
        yield return Case("protocol 9", "protocol is 9", new byte[] { 0x80, 9 });
        yield return Case("nothing", "ends");
        yield return Case("stop on an empty stack", "stack is empty", '.');
        yield return Case("stop below a mark", "stack is empty", "N(.");
        yield return Case("tuple without a mark", "no mark", "NNt");
        yield return Case("odd pairs", "pairs", "}(Nu");
        yield return Case("append to a dictionary", "needs a list", "}Na");
        yield return Case("items of a list", "needs a dictionary", "](NNu");
        yield return Case("call of a string", "REDUCE", "U\u0001a)R");
        yield return Case("call without a tuple", "REDUCE", "ccollections\nOrderedDict\nNR");
        yield return Case("arguments that do not fit", "torch._utils._rebuild_tensor is called with 3", "ctorch._utils\n_rebuild_tensor\nNNN", new byte[] { 0x87 }, 'R');
        yield return Case("size of None", "do not fit (sizes)", "ctorch\nSize\nN", new byte[] { 0x85 }, 'R');
        yield return Case("state of a list", "BUILD", "]}b");
        yield return Case("memo never set", "never set", 'h', new byte[] { 3 });
        yield return Case("memo out of order", "out of order", "Nr", new byte[] { 200, 0, 0, 0 }, new byte[300]);
        yield return Case("memo beyond the file", "beyond the pickle", "Nr", new byte[] { 0xFF, 0xFF, 0xFF, 0x7F });
        yield return Case("string of 4 GB", "beyond the pickle", 'X', new byte[] { 0xFF, 0xFF, 0xFF, 0xFF });
        yield return Case("bytes of 2^64", "beyond the pickle", new byte[] { 0x8E, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF });
        yield return Case("string that is no UTF-8", "UTF-8", 'X', new byte[] { 1, 0, 0, 0, 0xFF });
        yield return Case("name without end", "does not end", "cos");
        yield return Case("name of numbers", "two strings", "NN", new byte[] { 0x93 });
        yield return Case("persistent id of another kind", "persistent id", "NQ");
        yield return Case("deep nesting", "no state dictionary", 'N', Enumerable.Repeat((byte)0x85, 300_000).ToArray(), '.');
        yield return Case("dictionary in itself", "no state dictionary", "}q\u0001U\u0005modelh\u0001s.");
    }

    [TestCaseSource(nameof(Broken))]
    public void Broken_pickle_is_refused(byte[] opcodes, string says) =>
        Refuses(Zip([0x80, 2, .. opcodes], "little", CompressionLevel.NoCompression), says);

    [Test]
    public void More_opcodes_than_any_checkpoint_needs_are_refused() =>
        Refuses(Zip([0x80, 2, .. Enumerable.Repeat((byte)'N', 5_000_000)], null, CompressionLevel.NoCompression), "opcodes");

    [Test]
    public void Tensor_expanded_beyond_the_file_is_refused_without_its_memory()
    {
        var storage = Storage("0", "FloatStorage", 1);
        Refuses(Zip(StateDict(("x", Tensor(storage, 0, [30_000, 30_000], [0, 0]))), ("0", new byte[4])), "\"x\"", "900000000 elements", "contiguous()");
        Refuses(Zip(StateDict(("x", Tensor(storage, 0, [2_000_000_000, 2_000_000_000], [0, 0]))), ("0", new byte[4])), "\"x\"", "beyond what an array can hold");
    }

    [Test]
    public void Tensors_that_repeat_one_storage_beyond_the_file_are_refused_without_their_memory()
    {
        var storage = Storage("0", "ByteStorage", 100_000);
        var tensors = Enumerable.Range(0, 1000).Select(i => ($"t{i}", (object?)Tensor(storage, 0, [100_000], [1]))).ToArray();
        Refuses(Zip(StateDict(tensors), ("0", new byte[100_000])), "expand to", "more than the file has bytes");
    }

    [Test]
    public void Storage_that_claims_more_than_64_bits_of_bytes_is_refused() =>
        Refuses(Zip(StateDict(("x", Tensor(Storage("0", "DoubleStorage", long.MaxValue), 0, [1], [1]))), ("0", new byte[8])), "9223372036854775807 elements");

    [Test]
    public void Name_that_steers_the_terminal_or_never_ends_is_shown_harmless()
    {
        using var files = new FormatFiles();
        var path = files.Write("hostile.pth", Zip(StateDict(("x", new Named("\u001b[2J", new string('a', 100_000))))));
        var error = Assert.Throws<InvalidFileException>(() => PyTorchCheckpoint.Read(path))!;
        Assert.That(error.Message, Does.Not.Contain("\u001b").And.Length.LessThan(2000));
    }

    static void Refuses(byte[] content, params string[] says)
    {
        using var files = new FormatFiles();
        var path = files.Write("hostile.pth", content);
        var before = GC.GetAllocatedBytesForCurrentThread();

        var error = Assert.Throws<InvalidFileException>(() => PyTorchCheckpoint.Read(path))!;

        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.That(error.Message, Does.StartWith(path));
        foreach (var text in says)
            Assert.That(error.Message, Does.Contain(text));
        Assert.That(allocated, Is.LessThan(100_000 + 100L * content.Length), "bytes allocated");
    }
}
