using QuadEngine.Data;
using QuadEngine.Data.Formats;

namespace QuadEngine.Tests.Data;

public class CifarBinaryTests
{
    const int Plane = 32 * 32;

    static readonly string[] Classes = [.. Enumerable.Range(0, 10).Select(c => $"class {c}")];

    [Test]
    public void Planes_become_channels_last_over_several_files([Values(1, 2)] int labelBytes)
    {
        using var files = new DataFiles();
        byte[] first = Records(labelBytes, 3, 7), second = Records(labelBytes, 9);
        var data = CifarBinary.Read("test", [files.Write("a.bin", first), files.Write("b.bin", second)], Classes, labelBytes);

        Assert.That(data.ImageShape.ToArray(), Is.EqualTo(new[] { 32, 32, 3 }));
        Assert.That(data.Labels.ToArray(), Is.EqualTo(new[] { 3, 7, 9 }));
        for (var i = 0; i < 3; i++)
        {
            var planes = (i < 2 ? first.AsSpan(i * (labelBytes + 3 * Plane)) : second)[labelBytes..];
            for (var p = 0; p < Plane; p++)
                for (var c = 0; c < 3; c++)
                    if (data.Image(i)[p * 3 + c] != planes[c * Plane + p])
                        Assert.Fail($"image {i}, pixel {p}, channel {c}: got {data.Image(i)[p * 3 + c]}, expected {planes[c * Plane + p]}");
        }
    }

    [Test]
    public void A_truncated_record_is_refused_at_its_offset() =>
        Refused(Records(1, 3, 7)[..^1], 1, null, 3073, "last record has 3072 bytes");

    [Test]
    public void A_missing_record_is_refused_where_the_file_ends() =>
        Refused(Records(1, 3, 7), 1, recordsPerFile: 3, offset: 2 * 3073, "6,146 bytes, expected 9,219 (3 records of 3073 bytes)");

    [Test]
    public void A_record_too_many_is_refused_where_the_file_should_end() =>
        Refused(Records(1, 3, 7), 1, recordsPerFile: 1, offset: 3073, "expected 3,073 (1 records");

    [Test]
    public void A_label_out_of_range_is_refused_at_its_offset() =>
        Refused(Records(1, 3, 10), 1, null, 3073, "label of record 1 is 10, expected 0 to 9");

    [Test]
    public void A_fine_label_out_of_range_is_refused_at_its_offset() =>
        Refused(Records(2, 3, 10), 2, null, 3074 + 1, "label of record 1 is 10, expected 0 to 9");

    [Test]
    public void A_coarse_label_out_of_range_is_refused_at_its_offset()
    {
        var records = Records(2, 3, 7);
        records[3074] = 20;
        Refused(records, 2, null, 3074, "coarse label of record 1 is 20, expected 0 to 19");
    }

    [Test]
    public void The_real_cifar10_has_its_known_statistics()
    {
        var (train, test) = DataFiles.LoadReal("cifar10");

        Assert.That((train.Count, test.Count), Is.EqualTo((50_000, 10_000)));
        Assert.That(train.Labels[..5].ToArray(), Is.EqualTo(new[] { 6, 9, 9, 4, 1 }));      // frog, truck, truck, deer, automobile
        Assert.That(test.Labels[..4].ToArray(), Is.EqualTo(new[] { 3, 8, 8, 0 }));
        Assert.That(test.Labels.ToArray().CountBy(label => label).Select(c => c.Value), Is.All.EqualTo(1000));
        Assert.That(Normalization.Of(train).Mean, Is.EqualTo(new[] { 0.4914f, 0.4822f, 0.4465f }).Within(5e-5));
        Assert.That(Normalization.Of(train).Std, Is.EqualTo(new[] { 0.2470f, 0.2435f, 0.2616f }).Within(5e-5));
    }

    static byte[] Records(int labelBytes, params byte[] labels)
    {
        var noise = DataFiles.Noise(labels.Length * (labelBytes + 3 * Plane));
        for (var i = 0; i < labels.Length; i++)
        {
            noise[i * (labelBytes + 3 * Plane)] = 19;       // the coarse label, if there are two
            noise[i * (labelBytes + 3 * Plane) + labelBytes - 1] = labels[i];
        }
        return noise;
    }

    static void Refused(byte[] content, int labelBytes, int? recordsPerFile, long offset, string says)
    {
        using var files = new DataFiles();
        var path = files.Write("batch.bin", content);
        var e = Assert.Throws<InvalidFileException>(() => CifarBinary.Read("test", [path], Classes, labelBytes, recordsPerFile))!;
        Assert.That(e.Path, Is.EqualTo(path));
        Assert.That(e.Message, Does.StartWith($"{path}: offset {offset}: ").And.Contain(says));
    }
}
