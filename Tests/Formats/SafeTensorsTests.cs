using System.Runtime.InteropServices;
using System.Text;

namespace QuadEngine.Tests.Formats;

public class SafeTensorsTests
{
    readonly FormatFiles files = new();

    [OneTimeTearDown]
    public void Clean() => files.Dispose();

    [Test]
    public void Round_trip_is_bit_exact_for_every_kind_of_float()
    {
        var random = new SplitMix64(1);
        var written = new Dictionary<string, HostTensor>
        {
            ["conv1.weight"] = new(random.AnyFloats(16 * 3 * 3 * 3), 16, 3, 3, 3),
            ["bn1.bias"] = new(random.AnyFloats(16), 16),
            ["scalar"] = new([-0f]),
            ["empty"] = new([], 0, 5),
            ["gewöhnlich \"quoted\" \n 名"] = new([1f, float.NaN, float.NegativeInfinity], 3, 1),
        };
        var path = files.PathOf("round.safetensors");

        SafeTensors.Write(path, written, new Dictionary<string, string> { ["epoch"] = "7", ["ünï"] = "\u0001" });

        using var file = SafeTensors.Open(path);
        Assert.That(file.Names, Is.EqualTo(written.Keys));
        Assert.That(file.Metadata, Is.EquivalentTo(new Dictionary<string, string> { ["epoch"] = "7", ["ünï"] = "\u0001" }));
        foreach (var (name, tensor) in written)
        {
            var read = file.Read(name);
            Assert.That(read.Shape, Is.EqualTo(tensor.Shape), name);
            Assert.That(Bits(read), Is.EqualTo(Bits(tensor)), name);
        }
    }

    [Test]
    public void Integers_and_bytes_are_kept_exactly()
    {
        long[] steps = [long.MaxValue, long.MinValue, (1L << 53) + 1, 0];
        byte[] state = [0, 255, 7];
        var writer = new SafeTensorsWriter();
        writer.Add("state", state);
        writer.Add("weight", new HostTensor([1f, 2f], 2));
        writer.Add("steps", steps);
        var path = files.PathOf("exact.safetensors");
        writer.Save(path);

        using var file = SafeTensors.Open(path);
        Assert.That(file.ReadInt64("steps"), Is.EqualTo(steps));
        Assert.That(file.ReadBytes("state"), Is.EqualTo(state));
        Assert.That(file.Entry("steps").Type, Is.EqualTo(ElementType.I64));
        Assert.That(() => file.ReadInt64("weight"), Throws.ArgumentException.With.Message.Contains("F32").And.Message.Contains("I64"));
    }

    [Test]
    public void Same_tensors_give_same_bytes_aligned_and_in_the_layout_of_the_format()
    {
        static byte[] Save(string path, params string[] metadata)
        {
            var writer = new SafeTensorsWriter();
            foreach (var key in metadata)
                writer.Metadata.Add(key, "v");
            writer.Add("b", new byte[] { 9 });
            writer.Add("w", new HostTensor([1.5f], 1));
            writer.Add("n", new long[] { 3 });
            writer.Save(path);
            return File.ReadAllBytes(path);
        }
        var bytes = Save(files.PathOf("a.safetensors"), "x", "y");

        Assert.That(Save(files.PathOf("b.safetensors"), "y", "x"), Is.EqualTo(bytes));
        var header = """{"__metadata__":{"x":"v","y":"v"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"w":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"U8","shape":[1],"data_offsets":[12,13]}}""";
        var padded = header.PadRight((header.Length + 7) / 8 * 8);
        Assert.That(bytes, Is.EqualTo(SafeTensorsBytes.File(padded, [3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xC0, 0x3F, 9])));
    }

    [Test]
    public void File_of_another_writer_is_read_whatever_its_spacing_order_and_extra_fields()
    {
        var header = """ { "z" : { "data_offsets":[4 , 8], "shape" :[], "dtype":"F32" , "note":{"a":[1,2]} }, "__metadata__":{}, "a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]} }   """;
        var path = files.Write("other.safetensors", SafeTensorsBytes.File(header, MemoryMarshal.AsBytes<float>([2f, 3f]).ToArray()));

        using var file = SafeTensors.Open(path);
        Assert.That(file.Names, Is.EqualTo(["z", "a"]));
        Assert.That(file.Read("z").Values, Is.EqualTo([3f]));
        Assert.That(file.Read("a").ToString(), Is.EqualTo("[1, 1]"));
    }

    [Test]
    public void Missing_tensor_is_answered_by_the_ones_there()
    {
        var path = files.PathOf("names.safetensors");
        SafeTensors.Write(path, new Dictionary<string, HostTensor> { ["fc.weight"] = new([1f], 1) });
        using var file = SafeTensors.Open(path);
        Assert.That(file.Contains("fc.bias"), Is.False);
        Assert.That(() => file.Read("fc.bias"), Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("fc.weight"));
    }

    [Test]
    public void Closed_file_refuses_to_read()
    {
        var path = files.PathOf("closed.safetensors");
        SafeTensors.Write(path, new Dictionary<string, HostTensor> { ["w"] = new([1f], 1) });
        var file = SafeTensors.Open(path);
        file.Dispose();
        Assert.That(() => file.Read("w"), Throws.TypeOf<ObjectDisposedException>());
    }

    [Test]
    public void Writer_refuses_names_that_a_file_cannot_hold()
    {
        var writer = new SafeTensorsWriter();
        writer.Add("w", new long[] { 1 });
        Assert.That(() => writer.Add("w", new long[] { 2 }), Throws.ArgumentException.With.Message.Contains("\"w\""));
        Assert.That(() => writer.Add("__metadata__", new long[] { 2 }), Throws.ArgumentException);
    }

    [Test]
    public void Shape_must_describe_the_values()
    {
        Assert.That(() => new HostTensor([1f, 2f], 3), Throws.ArgumentException.With.Message.Contains("[3]").And.Message.Contains("2 values"));
        Assert.That(() => new HostTensor([], -1), Throws.ArgumentException);
        Assert.That(() => new HostTensor([], int.MaxValue, int.MaxValue, int.MaxValue), Throws.ArgumentException);
    }

    [Test]
    public void Shape_has_64_axes_at_most()
    {
        static HostTensor OfAxes(int count) => new([1f], [.. Enumerable.Repeat(1, count)]);
        Assert.That(OfAxes(64).Shape, Has.Length.EqualTo(64));
        Assert.That(() => OfAxes(65), Throws.ArgumentException.With.Message.Contains("65 axes").And.Message.Contains("at most 64"));
    }

    [Test]
    public void Tensor_behind_more_bytes_than_a_span_can_hold_is_read()
    {
        // A sparse file: 300 million doubles (2.4 GB), of which one is set. Only the small tensor after them is read.
        const long Big = 300_000_000L * 8;
        var header = $"{{{SafeTensorsBytes.Entry("big", "F64", "[300,1000000]", 0, Big)},{SafeTensorsBytes.Entry("small", "I64", "[1]", Big, Big + 8)}}}";
        var path = files.Write("sparse.safetensors", SafeTensorsBytes.File(header));
        using (var stream = new FileStream(path, FileMode.Append))
        {
            stream.SetLength(stream.Length + Big + 8);
            stream.Seek(-8, SeekOrigin.End);
            stream.WriteByte(42);
        }
        using var file = SafeTensors.Open(path);
        Assert.That(file.ReadInt64("small"), Is.EqualTo([42L]));
        Assert.That(file.Entry("big").Count, Is.EqualTo(300_000_000));
    }

    static uint[] Bits(HostTensor tensor) => MemoryMarshal.Cast<float, uint>(tensor.Values).ToArray();
}
