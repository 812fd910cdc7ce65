using static QuadEngine.Tests.Formats.SafeTensorsBytes;

namespace QuadEngine.Tests.Formats;

/// <summary>Every way in which a header can be wrong, with the message for it.</summary>
public class SafeTensorsHeaderTests
{
    static readonly byte[] eight = new byte[8];

    static IEnumerable<TestCaseData> Damaged()
    {
        static TestCaseData Case(string name, byte[] file, params string[] says) => new TestCaseData(file, says).SetArgDisplayNames(name);
        static string Ones(int axes) => $"[{string.Join(',', Enumerable.Repeat(1, axes))}]";
        var valid = Entry("w", "F32", "[2]", 0, 8);

        yield return Case("empty file", [], "0 bytes");
        yield return Case("no header", [1, 0, 0], "3 bytes");
        yield return Case("header length 2^64-1", File(ulong.MaxValue, "{}"), ulong.MaxValue.ToString());
        yield return Case("header length beyond the file", File(3, "{}"), "3 bytes", "beyond the 2");
        yield return Case("cut off", File($"{{{valid}}}", 1, 2, 3), "8 bytes", "3 follow");
        yield return Case("longer than its tensors", File($"{{{valid}}}", new byte[9]), "8 bytes", "9 follow");
        yield return Case("empty header", File(""), "JSON");
        yield return Case("no JSON", File("{\"w\":"), "JSON");
        yield return Case("not an object", File("[]"), "StartArray");
        yield return Case("something behind", File("{} {}"), "JSON");
        yield return Case("not UTF-8", [2, 0, 0, 0, 0, 0, 0, 0, (byte)'{', 0xFF], "JSON");
        yield return Case("half a surrogate", File("{\"\\uD800\":{}}"), "JSON");
        yield return Case("deep nesting", File("{\"w\":{\"x\":" + new string('[', 100_000)), "JSON", "depth");
        yield return Case("same name twice", File($"{{{valid},{Entry("w", "F32", "[2]", 8, 16)}}}", new byte[16]), "\"w\"", "twice");
        yield return Case("same field twice", File("{\"w\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}", 1), "dtype twice");
        yield return Case("metadata twice", File("{\"__metadata__\":{},\"__metadata__\":{}}"), "__metadata__", "twice");
        yield return Case("metadata key twice", File("{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}}"), "\"a\"", "twice");
        yield return Case("metadata that is no text", File("{\"__metadata__\":{\"a\":1}}"), "\"a\"", "Number");
        yield return Case("tensor that is no object", File("{\"w\":3}"), "\"w\"", "Number");
        yield return Case("no dtype", File("{\"w\":{\"shape\":[],\"data_offsets\":[0,1]}}", 1), "lacks its dtype");
        yield return Case("no shape", File("{\"w\":{\"dtype\":\"U8\",\"data_offsets\":[0,1]}}", 1), "lacks its shape");
        yield return Case("no offsets", File("{\"w\":{\"dtype\":\"U8\",\"shape\":[]}}", 1), "lacks its data_offsets");
        yield return Case("unknown dtype", File($"{{{Entry("w", "F128", "[]", 0, 8)}}}", eight), "F128", "BF16");
        yield return Case("dtype as a number", File($"{{{Entry("w", "17", "[]", 0, 8)}}}", eight), "unknown dtype \"17\"");
        yield return Case("size against shape", File($"{{{Entry("w", "F32", "[3]", 0, 8)}}}", eight), "8 bytes", "[3] of F32 takes 12");
        yield return Case("half a byte", File($"{{{Entry("w", "F4", "[3]", 0, 1)}}}", 1), "1.5");
        yield return Case("negative size", File($"{{{Entry("w", "F32", "[-2]", 0, 8)}}}", eight), "shape", "\"w\"");
        yield return Case("fractional size", File($"{{{Entry("w", "F32", "[2.5]", 0, 8)}}}", eight), "shape", "\"w\"");
        yield return Case("size beyond 64 bits", File($"{{{Entry("w", "F32", "[99999999999999999999]", 0, 8)}}}", eight), "shape");
        yield return Case("product that wraps to 2", File($"{{{Entry("w", "F32", "[4294967296,4294967296,2]", 0, 8)}}}", eight), "beyond what an array can hold");
        yield return Case("a thousand axes", File($"{{{Entry("w", "U8", Ones(1000), 0, 1)}}}", 1), "more than 64 axes");
        yield return Case("64 axes and that of complex parts", File($"{{{Entry("w", "C64", Ones(64), 0, 8)}}}", eight), "more than 64 axes");
        yield return Case("shape that is no list", File($"{{{Entry("w", "F32", "8", 0, 8)}}}", eight), "shape of \"w\"");
        yield return Case("end before start", File($"{{{Entry("w", "F32", "[2]", 8, 0)}}}", eight), "[8, 0]");
        yield return Case("overlap", File($"{{{valid},{Entry("v", "F32", "[2]", 4, 12)}}}", new byte[12]), "\"v\"", "inside \"w\"");
        yield return Case("hole", File($"{{{valid},{Entry("v", "F32", "[1]", 12, 16)}}}", new byte[16]), "\"v\"", "hole");
        yield return Case("hole at the start", File($"{{{Entry("v", "F32", "[1]", 4, 8)}}}", eight), "\"v\"", "hole");
        yield return Case("beyond the file", File($"{{{Entry("w", "F32", "[1000000000]", 0, 4_000_000_000)}}}", eight), "4000000000 bytes", "8 follow");
    }

    [TestCaseSource(nameof(Damaged))]
    public void Damaged_header_is_refused_by_file_and_reason(byte[] content, string[] says)
    {
        using var files = new FormatFiles();
        var path = files.Write("damaged.safetensors", content);

        var error = Assert.Throws<InvalidFileException>(() => SafeTensors.Open(path).Dispose())!;

        Assert.That(error.Path, Is.EqualTo(path));
        Assert.That(error.Message, Does.StartWith(path + ": "));
        foreach (var text in says)
            Assert.That(error.Message, Does.Contain(text));
    }
}
