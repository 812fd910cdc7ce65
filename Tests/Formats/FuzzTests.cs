using System.Runtime.InteropServices;
using System.Text;
using static QuadEngine.Tests.Formats.TorchBytes;

namespace QuadEngine.Tests.Formats;

/// <summary>Damaged files of weights, of every format: see <see cref="FuzzedReading"/>.</summary>
public class FuzzTests
{
    static IEnumerable<TestCaseData> Formats()
    {
        var state = StateDict(
            ("conv.weight", Tensor(Storage("0", "FloatStorage", 12), 0, [3, 4], [1, 3])),
            ("bn.bias", Tensor(Storage("1", "HalfStorage", 3), 1, [2], [1])));
        var (weight, bias) = (Bytes([.. Enumerable.Range(0, 12).Select(i => (float)i)]), new byte[6]);
        yield return new TestCaseData(Zip(state, ("0", weight), ("1", bias))).SetArgDisplayNames("zip");
        yield return new TestCaseData(ZipWriter.Zip64(("m/data.pkl", PickleWriter.Pickle(state, 4)), ("m/data/0", weight), ("m/data/1", bias))).SetArgDisplayNames("zip64");
        yield return new TestCaseData(Legacy(Checkpoint(("epoch", 3L), ("state_dict", state)), ("0", 12, weight), ("1", 3, bias))).SetArgDisplayNames("legacy");

        using var files = new FormatFiles();
        var writer = new SafeTensorsWriter { Metadata = { ["epoch"] = "3" } };
        writer.Add("conv.weight", new HostTensor(new float[12], 3, 4));
        writer.Add("bn.bias", new HostTensor(new float[2], 2));
        writer.Add("steps", new long[] { 1, 2 });
        writer.Save(files.PathOf("seed"));
        yield return new TestCaseData(File.ReadAllBytes(files.PathOf("seed"))).SetArgDisplayNames("safetensors");
    }

    [TestCaseSource(nameof(Formats))]
    public void Mutated_file_is_read_or_refused(byte[] seed)
    {
        using var files = new FormatFiles();
        FuzzedReading.Run(TestContext.CurrentContext.Test.Name, number => Mutate(seed, new SplitMix64((ulong)number)), Read, bytesOfAByte: 100, bytesOfAny: 100_000);

        byte[] Read(byte[] content)
        {
            var path = files.Write("mutated", content);
            try
            {
                return [.. WeightFile.Read(path).SelectMany(tensor => Encoding.UTF8.GetBytes($"{tensor.Key} {tensor.Value}").Concat(MemoryMarshal.AsBytes<float>(tensor.Value.Values).ToArray()))];
            }
            catch (InvalidFileException e)
            {
                Assert.That(e.Message, Does.StartWith(path));
                throw;
            }
        }
    }

    static readonly ulong[] extremes = [0, 1, 0x7F, 0x80, 0xFF, 0xFFFF, int.MaxValue, 0x80000000, uint.MaxValue, long.MaxValue, 1UL << 63, ulong.MaxValue];

    internal static byte[] Mutate(byte[] seed, SplitMix64 random)
    {
        var bytes = seed.ToList();
        for (var edits = 1 + random.Below(3); edits > 0 && bytes.Count > 0; edits--)
        {
            var at = random.Below(bytes.Count);
            switch (random.Below(8))
            {
                case 0: bytes[at] ^= (byte)(1 << random.Below(8)); break;
                case 1: bytes[at] = (byte)random.Next(); break;
                case 2: bytes.RemoveRange(at, bytes.Count - at); break;                                              // cut off
                case 3: bytes.RemoveRange(at, Math.Min(bytes.Count - at, 1 + random.Below(16))); break;
                case 4: bytes.InsertRange(at, seed.Skip(random.Below(seed.Length)).Take(1 + random.Below(32))); break;      // repeat a part
                case 5: Overwrite(bytes, at, BitConverter.GetBytes(extremes[random.Below(extremes.Length)])[..(1 << random.Below(4))]); break;
                case 6: Overwrite(bytes, at, [.. seed.Skip(random.Below(seed.Length)).Take(1 + random.Below(8))]); break;
                default: ChangeDigit(bytes, at, random); break;
            }
        }
        return [.. bytes];
    }

    // The numbers of a JSON header are the part of a safetensors file that can lie.
    static void ChangeDigit(List<byte> bytes, int from, SplitMix64 random)
    {
        var at = bytes.FindIndex(from, b => char.IsAsciiDigit((char)b));
        if (at >= 0)
            bytes[at] = (byte)('0' + random.Below(10));
    }

    static void Overwrite(List<byte> bytes, int at, byte[] with)
    {
        for (var i = 0; i < with.Length && at + i < bytes.Count; i++)
            bytes[at + i] = with[i];
    }
}
