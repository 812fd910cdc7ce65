using System.Runtime.InteropServices;
using QuadEngine.Data;
using QuadEngine.Data.Formats;
using QuadEngine.Tests.Formats;

namespace QuadEngine.Tests.Data;

[Parallelizable(ParallelScope.All)]
public class DatasetFuzzTests
{
    static readonly string[] classes = ["a", "b", "c"];

    static readonly byte[] images = DataFiles.Idx(3, DataFiles.Noise(3 * 5 * 4), 3, 5, 4), labels = DataFiles.Idx(1, [2, 0, 1], 3);

    [Test]
    public void Damaged_idx_images_are_read_or_refused() => Idx("idx images", [images, DataFiles.Gzip(images)], damaged => (damaged, labels));

    [Test]
    public void Damaged_idx_labels_are_read_or_refused() => Idx("idx labels", [labels, DataFiles.Gzip(labels)], damaged => (images, damaged));

    [Test]
    public void Damaged_cifar_is_read_or_refused([Values(1, 2)] int labelBytes)
    {
        using var files = new DataFiles();
        var records = DataFiles.Noise(2 * (labelBytes + 3072));
        for (var i = 0; i < 2; i++)
            for (var b = 0; b < labelBytes; b++) records[i * (labelBytes + 3072) + b] = (byte)i;
        Run($"cifar of {labelBytes} label bytes", [records], damaged => CifarBinary.Read("test", [files.Write("batch.bin", damaged)], classes, labelBytes));
    }

    static void Idx(string name, byte[][] seeds, Func<byte[], (byte[] Images, byte[] Labels)> with)
    {
        using var files = new DataFiles();
        Run(name, seeds, damaged =>
        {
            var (first, second) = with(damaged);
            return QuadEngine.Data.Formats.Idx.Read("letters", files.Write("images", first), files.Write("labels", second), classes);
        });
    }

    static void Run(string name, byte[][] seeds, Func<byte[], ImageDataset> read) => FuzzedReading.Run(name, number => FuzzedReading.Damaged(seeds, number), input =>
    {
        var data = read(input);
        return [.. data.Pixels.Span, .. MemoryMarshal.AsBytes(data.Labels.Span), .. MemoryMarshal.AsBytes((ReadOnlySpan<int>)data.ImageShape.ToArray())];
    }, bytesOfAByte: 2_500);
}
