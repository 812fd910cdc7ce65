using QuadEngine.Data;
using QuadEngine.Data.Formats;

namespace QuadEngine.Tests.Data;

public class IdxTests
{
    static readonly string[] Classes = ["a", "b", "c"];
    static readonly byte[] Pixels = DataFiles.Noise(3 * 2 * 4);
    static readonly byte[] Images = DataFiles.Idx(3, Pixels, 3, 2, 4);
    static readonly byte[] Labels = DataFiles.Idx(1, [2, 0, 1], 3);

    [Test]
    public void Images_and_labels_are_read_plain_and_gzip([Values] bool gzip)
    {
        using var files = new DataFiles();
        var data = Read(files, gzip ? DataFiles.Gzip(Images) : Images, gzip ? DataFiles.Gzip(Labels) : Labels);

        Assert.That(data.Count, Is.EqualTo(3));
        Assert.That(data.ImageShape.ToArray(), Is.EqualTo(new[] { 2, 4, 1 }));
        Assert.That(data.Pixels.ToArray(), Is.EqualTo(Pixels));
        Assert.That(data.Labels.ToArray(), Is.EqualTo(new[] { 2, 0, 1 }));
    }

    [Test]
    public void Another_magic_number_is_refused_at_offset_0() =>
        Refused(DataFiles.Idx(1, Pixels, 3, 2, 4), Labels, "images", 0, "0x00000801", "0x00000803");

    [Test]
    public void An_absurd_size_is_refused_where_it_stands() =>
        Refused(DataFiles.Idx(3, Pixels, 3, 0, 4), Labels, "images", 8, "height is 0");

    [Test]
    public void A_count_that_the_file_cannot_hold_is_refused_before_memory_is_taken() =>
        Refused(DataFiles.Idx(3, Pixels, 2_000_000_000, 28, 28), Labels, "images", 16, "1,568,000,000,000 bytes");

    [Test]
    public void A_truncated_file_is_refused_where_it_ends([Values(0, 3, 11, 16, 25)] int length) =>
        Refused(Images[..length], Labels, "images", length >= 16 ? 16 : length);

    [Test]
    public void A_file_truncated_under_gzip_is_refused_where_it_ends() =>
        Refused(DataFiles.Gzip(Images[..20]), Labels, "images", 20, "4 of 24 bytes");

    [Test]
    public void Broken_gzip_is_refused([Values(20, 30)] int length) =>
        Refused(DataFiles.Gzip(Images)[..length], Labels, "images", null);

    [Test]
    public void Changed_gzip_is_refused()
    {
        var changed = DataFiles.Gzip(Images);
        changed[^7] ^= 1;       // the checksum
        Refused(changed, Labels, "images", null, "gzip");
    }

    [Test]
    public void A_file_that_goes_on_is_refused() =>
        Refused([.. Images, 0], Labels, "images", 16 + Pixels.Length, "should end");

    [Test]
    public void Labels_of_another_count_are_refused() =>
        Refused(Images, DataFiles.Idx(1, [2, 0], 2), "labels", 4, "is 2, expected 3");

    [Test]
    public void A_label_out_of_range_is_refused_at_its_offset() =>
        Refused(Images, DataFiles.Idx(1, [2, 3, 1], 3), "labels", 9, "label 1 is 3, expected 0 to 2");

    [TestCase("mnist", 0.1307f, 0.3081f, 5)]
    [TestCase("fashion-mnist", 0.2860f, 0.3530f, 9)]
    public void The_real_files_have_their_known_statistics(string name, float mean, float std, int firstLabel)
    {
        var (train, test) = DataFiles.LoadReal(name);

        Assert.That((train.Count, test.Count), Is.EqualTo((60_000, 10_000)));
        Assert.That(train.Labels.Span[0], Is.EqualTo(firstLabel));
        Assert.That(Normalization.Of(train).Mean[0], Is.EqualTo(mean).Within(5e-5));
        Assert.That(Normalization.Of(train).Std[0], Is.EqualTo(std).Within(5e-5));
    }

    static ImageDataset Read(DataFiles files, byte[] images, byte[] labels) =>
        Idx.Read("letters", files.Write("images", images), files.Write("labels", labels), Classes);

    static void Refused(byte[] images, byte[] labels, string file, long? offset, params string[] says)
    {
        using var files = new DataFiles();
        var e = Assert.Throws<InvalidFileException>(() => Read(files, images, labels))!;
        Assert.That(e.Path, Is.EqualTo(Path.Combine(files.Folder, file)));
        Assert.That(e.Message, Does.StartWith($"{e.Path}: offset {offset}"));
        foreach (var part in says)
            Assert.That(e.Message, Does.Contain(part));
    }
}
