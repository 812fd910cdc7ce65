using System.IO.Compression;
using static QuadEngine.Tests.Formats.TorchBytes;

namespace QuadEngine.Tests.Formats;

public class PyTorchCheckpointTests
{
    readonly FormatFiles files = new();

    [OneTimeTearDown]
    public void Clean() => files.Dispose();

    IReadOnlyDictionary<string, HostTensor> Read(byte[] content) => PyTorchCheckpoint.Read(files.Write("checkpoint.pth", content));

    static readonly float[] sixFloats = [1f, -2f, float.NaN, float.NegativeInfinity, -0f, 6f];

    [Test]
    public void State_dictionary_is_read_from_both_formats_in_order()
    {
        var state = StateDict(
            ("z.weight", Tensor(Storage("0", "FloatStorage", 6), 0, [2, 3], [3, 1])),
            ("a.bias", Tensor(Storage("1", "FloatStorage", 2), 0, [2], [1])),
            ("steps", Tensor(Storage("2", "LongStorage", 1), 0, [], [])));
        var (weight, bias, steps) = (Bytes(sixFloats), Bytes(0.5f, 1.5f), Bytes(7L));

        foreach (var content in new[]
        {
            Zip(state, ("0", weight), ("1", bias), ("2", steps)),
            Legacy(state, ("1", 2, bias), ("0", 6, weight), ("2", 1, steps)),
            Legacy(state, 4, ("2", 1, steps), ("0", 6, weight), ("1", 2, bias)),
        })
        {
            var tensors = Read(content);
            Assert.That(tensors.Keys, Is.EqualTo(["z.weight", "a.bias", "steps"]));
            Assert.That(tensors["z.weight"].Shape, Is.EqualTo([2, 3]));
            Assert.That(tensors["z.weight"].Values.Select(BitConverter.SingleToUInt32Bits), Is.EqualTo(sixFloats.Select(BitConverter.SingleToUInt32Bits)));
            Assert.That(tensors["a.bias"].Values, Is.EqualTo([0.5f, 1.5f]));
            Assert.That(tensors["steps"].Shape, Is.Empty);
            Assert.That(tensors["steps"].Values, Is.EqualTo([7f]));
        }
    }

    [TestCase("DoubleStorage", new byte[] { 0, 0, 0, 0, 0, 0, 0xF8, 0x3F }, 1.5f)]
    [TestCase("FloatStorage", new byte[] { 0, 0, 0xC0, 0x3F }, 1.5f)]
    [TestCase("HalfStorage", new byte[] { 0, 0x3E }, 1.5f)]
    [TestCase("BFloat16Storage", new byte[] { 0xC0, 0x3F }, 1.5f)]
    [TestCase("LongStorage", new byte[] { 0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, -2f)]
    [TestCase("IntStorage", new byte[] { 0xFE, 0xFF, 0xFF, 0xFF }, -2f)]
    [TestCase("ShortStorage", new byte[] { 0xFE, 0xFF }, -2f)]
    [TestCase("CharStorage", new byte[] { 0xFE }, -2f)]
    [TestCase("ByteStorage", new byte[] { 0xFE }, 254f)]
    [TestCase("BoolStorage", new byte[] { 1 }, 1f)]
    public void Every_storage_is_converted(string type, byte[] one, float expected)
    {
        // Of the two elements the tensor shows the second.
        var state = StateDict(("x", Tensor(Storage("5", type, 2), 1, [1], [1])));
        byte[] data = [.. new byte[one.Length], .. one];
        Assert.That(Read(Zip(state, ("5", data)))["x"].Values, Is.EqualTo([expected]));
        Assert.That(Read(Legacy(state, ("5", 2, data)))["x"].Values, Is.EqualTo([expected]));
    }

    [TestCase("float8_e4m3fn", new byte[] { 0x7E, 0x38 }, new[] { 448f, 1f })]
    [TestCase("uint16", new byte[] { 0xFF, 0xFF, 1, 0 }, new[] { 65535f, 1f })]
    [TestCase("float32", new byte[] { 0, 0, 0xC0, 0x3F, 0, 0, 0x80, 0x3F }, new[] { 1.5f, 1f })]
    public void Untyped_storage_takes_the_type_of_its_tensor(string dtype, byte[] data, float[] expected)
    {
        var tensor = new Call("torch._utils", "_rebuild_tensor_v3", Storage("0", "UntypedStorage", data.Length, "torch.storage"),
            0L, Tuple(2), Tuple(1), false, StateDict(), new Named("torch", dtype));
        Assert.That(Read(Zip(StateDict(("x", tensor)), ("0", data)))["x"].Values, Is.EqualTo(expected));
    }

    [Test]
    public void Strided_views_are_gathered()
    {
        var data = Enumerable.Range(0, 24).Select(i => (float)i).ToArray();
        var storage = Storage("0", "FloatStorage", 24);
        var state = StateDict(
            ("transposed", Tensor(storage, 0, [3, 2], [1, 3])),
            ("every_other_column", Tensor(storage, 1, [2, 3], [6, 2])),
            ("channels_last", Tensor(storage, 0, [2, 3, 2, 2], [12, 1, 6, 3])),
            ("expanded", Tensor(storage, 5, [2, 2], [0, 1])),
            ("tied", Tensor(storage, 0, [24], [1])),
            ("single_row", Tensor(storage, 4, [1, 3], [999, 1])),
            ("empty", Tensor(storage, 24, [0, 3], [3, 1])));

        var tensors = Read(Zip(state, ("0", Bytes(data))));

        Assert.That(tensors["transposed"].Values, Is.EqualTo([0f, 3f, 1f, 4f, 2f, 5f]));
        Assert.That(tensors["every_other_column"].Values, Is.EqualTo([1f, 3f, 5f, 7f, 9f, 11f]));
        var channelsLast = from n in Enumerable.Range(0, 2) from c in Enumerable.Range(0, 3) from h in Enumerable.Range(0, 2) from w in Enumerable.Range(0, 2)
                           select (float)(12 * n + 6 * h + 3 * w + c);
        Assert.That(tensors["channels_last"].Values, Is.EqualTo(channelsLast));
        Assert.That(tensors["expanded"].Values, Is.EqualTo([5f, 6f, 5f, 6f]));
        Assert.That(tensors["tied"].Values, Is.EqualTo(data));
        Assert.That(tensors["single_row"].Values, Is.EqualTo([4f, 5f, 6f]));
        Assert.That(tensors["empty"].Shape, Is.EqualTo([0, 3]));
    }

    [Test]
    public void Legacy_view_of_a_storage_starts_where_the_view_does()
    {
        var view = new object?[] { "view", 2L, 3L };
        var tensor = new Call("torch._utils", "_rebuild_tensor", ViewedStorage("0", "FloatStorage", 6, view), 1L, Tuple(2), Tuple(1));
        var whole = new Call("torch._utils", "_rebuild_tensor", ViewedStorage("0", "FloatStorage", 6), 0L, Tuple(1), Tuple(1));
        var tensors = Read(Legacy(StateDict(("x", tensor), ("y", whole)), ("0", 6, Bytes(0f, 1f, 2f, 3f, 4f, 5f))));
        Assert.That(tensors["x"].Values, Is.EqualTo([3f, 4f]));
        Assert.That(tensors["y"].Values, Is.EqualTo([0f]));
    }

    [Test]
    public void Parameters_are_their_tensors()
    {
        var tensor = Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1]);
        var state = StateDict(
            ("p", new Call("torch._utils", "_rebuild_parameter", tensor, true, StateDict())),
            ("q", new Call("torch._utils", "_rebuild_parameter_with_state", tensor, true, StateDict(), StateDict())));
        var tensors = Read(Zip(state, ("0", Bytes(3f))));
        Assert.That(tensors["p"].Values, Is.EqualTo([3f]));
        Assert.That(tensors["q"].Values, Is.EqualTo([3f]));
    }

    [TestCase("state_dict")]
    [TestCase("model_state_dict")]
    [TestCase("model")]
    [TestCase("net")]
    public void State_dictionary_is_found_in_a_checkpoint_and_loses_the_prefix_of_DataParallel(string key)
    {
        var tensor = Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1]);
        var root = Checkpoint(("best_acc1", tensor), ("epoch", 12L), ("lr", 0.1), ("args", null),
            (key, StateDict(("module.conv1.weight", tensor), ("module.module.x", tensor))),
            ("sizes", new Call("torch", "Size", [Tuple(1, 2)])), ("device", new Call("torch", "device", "cuda", 0L)));
        Assert.That(Read(Zip(root, ("0", Bytes(3f)))).Keys, Is.EqualTo(["conv1.weight", "module.x"]));
    }

    [Test]
    public void Prefix_that_not_all_names_have_stays()
    {
        var tensor = Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1]);
        Assert.That(Read(Zip(StateDict(("module.a", tensor), ("b", tensor), ("count", 3L)), ("0", Bytes(3f)))).Keys, Is.EqualTo(["module.a", "b"]));
    }

    [Test]
    public void Python_2_writes_dictionaries_as_lists_of_pairs()
    {
        var pair = new List<object?> { "x", Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1]) };
        var ordered = new Call("collections", "OrderedDict", new List<object?> { pair });
        Assert.That(Read(Zip(Checkpoint(("state_dict", ordered)), ("0", Bytes(3f))))["x"].Values, Is.EqualTo([3f]));
    }

    [Test]
    public void Versions_that_PyTorch_hangs_on_a_state_dictionary_are_left_out()
    {
        var state = PickleWriter.Pickle(StateDict(("x", Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1]))));
        byte[] withMetadata = [.. state[..^1], (byte)'}', (byte)'U', 9, .. "_metadata"u8, (byte)'}', (byte)'s', (byte)'b', (byte)'.'];
        Assert.That(Read(Zip(withMetadata, "little", CompressionLevel.NoCompression, ("0", Bytes(3f)))).Keys, Is.EqualTo(["x"]));
    }

    [Test]
    public void Zip_with_64_bit_fields_is_read()
    {
        var state = StateDict(("x", Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1])));
        Assert.That(Read(ZipWriter.Zip64(("m/data.pkl", PickleWriter.Pickle(state)), ("m/data/0", Bytes(3f))))["x"].Values, Is.EqualTo([3f]));
    }

    [Test]
    public void Files_of_other_kinds_are_refused_with_what_to_do()
    {
        var pickle = PickleWriter.Pickle(StateDict());
        Refuses(Zip(pickle, "big", CompressionLevel.NoCompression), "byte order");
        Refuses(Zip(pickle, "little", CompressionLevel.SmallestSize, ("0", new byte[1000])), "compressed");
        Refuses(ZipWriter.Zip64(("readme", [1])), "no data.pkl");
        Refuses(Zip(StateDict(("a", 1L))), "no state dictionary", "keys a", "Save model.state_dict()");
        Refuses(Zip(3L), "no state dictionary", "Int64");
        Refuses(Zip(new List<object?> { 3L }), "no state dictionary", "a list");
        Refuses(pickle, "not one that torch.save wrote");
    }

    [Test]
    public void Damaged_storages_are_refused_by_key()
    {
        var state = StateDict(("x", Tensor(Storage("0", "FloatStorage", 4), 0, [4], [1])));
        Refuses(Zip(state), "archive/data/0", "missing");
        Refuses(Zip(state, ("0", new byte[15])), "\"0\"", "15 bytes", "4 elements of F32");
        Refuses(Legacy(state), "\"0\"", "4 elements", "none");
        Refuses(Legacy(state, ("0", 3, new byte[12])), "\"0\"", "4 elements", "has 3");
        Refuses(Legacy(state, ("0", 4, new byte[15])), "16 bytes");
        Refuses(Legacy(state, ("0", -1, [])), "\"0\"", "-1 elements");
        Refuses(Legacy(state, ("0", long.MaxValue, [])), "\"0\"", "9223372036854775807 elements");
        Refuses(Legacy(state, ("0", 4, new byte[16]), ("0", 4, new byte[16])), "\"0\"", "twice");
        Refuses(Legacy(state, ("1", 4, new byte[16])), "\"1\"", "belongs to no tensor");
    }

    [TestCase(1, new[] { 4 }, new[] { 1 })]
    [TestCase(-1, new[] { 2 }, new[] { 1 })]
    [TestCase(0, new[] { 2, 2 }, new[] { 4, 1 })]
    [TestCase(3, new[] { 2 }, new[] { -1 })]
    [TestCase(0, new[] { 2, 2 }, new[] { int.MaxValue, int.MaxValue })]
    public void View_that_leaves_its_storage_is_refused(int offset, int[] size, int[] stride) =>
        Refuses(Zip(StateDict(("x", Tensor(Storage("0", "FloatStorage", 4), offset, size, stride))), ("0", new byte[16])), "\"x\"", "storage of 4 elements");

    [Test]
    public void Weights_of_a_public_ResNet20_are_read()
    {
        var folder = Environment.GetEnvironmentVariable("QUADENGINE_WEIGHTS");
        if (folder is null)
            Assert.Ignore("Set QUADENGINE_WEIGHTS to a folder with resnet20-12fca82f.th (akamaster/pytorch_resnet_cifar10) to run this test.");

        var tensors = WeightFile.Read(Path.Combine(folder, "resnet20-12fca82f.th"));

        var learned = tensors.Where(t => !t.Key.Contains("running_")).Sum(t => t.Value.Values.Length);
        Assert.That(learned, Is.EqualTo(269_722));      // the parameters of a ResNet-20 with shortcut A
        Assert.That(tensors.Keys.First(), Is.EqualTo("conv1.weight"));
        Assert.That(tensors.Keys.Last(), Is.EqualTo("linear.bias"));
        Assert.That(tensors["layer3.0.conv1.weight"].Shape, Is.EqualTo([64, 32, 3, 3]));
        Assert.That(tensors.Where(t => t.Key.EndsWith("running_var")).SelectMany(t => t.Value.Values), Has.All.GreaterThan(0f));
        Assert.That(tensors.SelectMany(t => t.Value.Values), Has.All.Matches<float>(float.IsFinite));
    }

    void Refuses(byte[] content, params string[] says)
    {
        var error = Assert.Throws<InvalidFileException>(() => Read(content))!;
        foreach (var text in says)
            Assert.That(error.Message, Does.Contain(text));
    }

    static IEnumerable<TestCaseData> Beside()
    {
        static TestCaseData Case(string name, object? value, string? said) => new TestCaseData(value, said).SetArgDisplayNames(name);
        var list = new List<object?> { "cat", "dog" };
        foreach (var module in new[] { "__builtin__", "builtins" })
        {
            yield return Case($"{module}.set", new Call(module, "set", list), "a set");
            yield return Case($"{module}.frozenset", new Call(module, "frozenset", list), "a set");
            yield return Case($"{module}.bytearray", new Call(module, "bytearray", "abc", "latin-1"), "bytes");
            yield return Case($"{module}.complex", new Call(module, "complex", 0.0, 1.0), "a complex number");
            yield return Case($"{module}.defaultdict", new Call("collections", "defaultdict", new Named(module, "dict")), null);
        }

        yield return Case("bytes of protocol 2", new Call("_codecs", "encode", "abc", "latin1"), "bytes");
        yield return Case("empty bytes of protocol 2", new Call("__builtin__", "bytes"), "bytes");
        yield return Case("bytes of protocol 3", new Raw((byte)'C', 1, 7), null);
        yield return Case("set of protocol 4", new Raw(0x8F, (byte)'(', (byte)'K', 1, (byte)'K', 2, 0x90), "a set");
        yield return Case("frozenset of protocol 4", new Raw((byte)'(', (byte)'K', 1, 0x91), "a set");
        yield return Case("bytearray of protocol 5", new Raw(0x96, 1, 0, 0, 0, 0, 0, 0, 0, 7), "bytes");
    }

    [TestCaseSource(nameof(Beside))]
    public void Python_values_beside_the_weights_are_passed_over_and_said(object value, string? said)
    {
        var state = StateDict(("x", Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1])));
        foreach (var content in new[] { Zip(Checkpoint(("before", value), ("state_dict", state), ("after", value)), ("0", Bytes(3f))), Legacy(Checkpoint(("before", value), ("state_dict", state)), ("0", 1, Bytes(3f))) })
        {
            var tensors = WeightFile.Read(files.Write("checkpoint.pth", content), out _, out var leftOut);
            Assert.That(tensors["x"].Values, Is.EqualTo([3f]));
            Assert.That(leftOut, Is.EqualTo(said is null ? [] : new[] { said }));
        }
    }

    [Test]
    public void Defaultdict_is_a_dictionary()
    {
        var pickle = PickleWriter.Pickle(Checkpoint(("state_dict", StateDict(("x", Tensor(Storage("0", "FloatStorage", 1), 0, [1], [1])))), ("optimizer", new Raw(
            [.. "ccollections\ndefaultdict\nc__builtin__\ndict\n"u8, 0x85, (byte)'R', (byte)'(', (byte)'K', 1, (byte)'N', (byte)'u']))));
        Assert.That(Read(Zip(pickle, "little", CompressionLevel.NoCompression, ("0", Bytes(3f))))["x"].Values, Is.EqualTo([3f]));
    }

    [Test]
    public void Damage_inside_a_zip_is_found_by_its_checksum()
    {
        var values = Enumerable.Range(0, 1000).Select(i => (float)i).ToArray();
        var content = Zip(StateDict(("x", Tensor(Storage("0", "FloatStorage", 1000), 0, [1000], [1])), ("y", Tensor(Storage("0", "FloatStorage", 1000), 1, [10], [1]))), ("0", Bytes(values)));
        Assert.That(Read(content)["y"].Values, Is.EqualTo(values[1..11]));
        var at = content.AsSpan().IndexOf(Bytes(500f, 501f, 502f));
        content.AsSpan(at, 12).Clear();
        Refuses(content, "zip entry \"archive/data/0\"", "checksum", "damaged");
    }

    [Test]
    public void Checksum_is_that_of_zip_files()
    {
        Assert.That(Crc32.Append(0, "123456789"u8), Is.EqualTo(0xCBF43926));
        var bytes = Enumerable.Range(0, 1001).Select(i => (byte)(i * i * 31 >> 3)).ToArray();
        Assert.That(Crc32.Append(Crc32.Append(0, bytes.AsSpan(0, 333)), bytes.AsSpan(333)), Is.EqualTo(Crc32.Append(0, bytes)), "in pieces");
        for (var length = 0; length < bytes.Length; length++) Assert.That(Crc32.Append(7, bytes.AsSpan(0, length)), Is.EqualTo(BitByBit(7, bytes.AsSpan(0, length))), $"{length} bytes");

        static uint BitByBit(uint checksum, ReadOnlySpan<byte> bytes)
        {
            var crc = ~checksum;
            foreach (var value in bytes)
            {
                crc ^= value;
                for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
            }

            return ~crc;
        }
    }
}
