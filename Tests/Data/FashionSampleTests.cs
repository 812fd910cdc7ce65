using System.Security.Cryptography;
using CsCheck;
using QuadEngine.Data;
using QuadEngine.Data.Sample;

namespace QuadEngine.Tests.Data;

public class FashionSampleTests
{
    [Test]
    public void The_sample_decodes_to_its_checksums()
    {
        var (train, test) = Datasets.Load("fashion-mnist-sample");

        Assert.That((train.Count, test.Count), Is.EqualTo((10_000, 2_000)));
        Assert.That(Sha256(train), Is.EqualTo("179ff862b2293debc23091b873dc7271f231773bace5904b77603bf15c130dd8"));
        Assert.That(Sha256(test), Is.EqualTo("b53827100ae1753db157cb7643242d659955ad9ca30d737a5f90c7c1ec467ee9"));
    }

    [Test]
    public void Every_prefix_is_balanced()
    {
        var (train, _) = Datasets.Load("fashion-mnist-sample");
        Assert.That(train.Take(500).Labels.ToArray().CountBy(label => label).Select(c => c.Value), Is.All.EqualTo(50));
    }

    [Test]
    public void The_sample_is_what_the_script_chooses()
    {
        var whole = DataFiles.LoadReal("fashion-mnist");
        var (train, test) = Datasets.Load("fashion-mnist-sample");

        byte[] sample = [.. train.Pixels.Span, .. test.Pixels.Span];
        Assert.That(FashionSample.Choose(whole).AsSpan().SequenceEqual(sample));

        // The label of image i is i mod 10: check it against the label of the same pixels in the whole data set.
        var labels = new Dictionary<string, int>();
        for (var i = 0; i < whole.Test.Count; i++)
            labels[Convert.ToHexString(SHA256.HashData(whole.Test.Image(i)))] = whole.Test.Labels.Span[i];
        for (var i = 0; i < test.Count; i++)
            Assert.That(labels[Convert.ToHexString(SHA256.HashData(test.Image(i)))], Is.EqualTo(test.Labels.Span[i]));
    }

    [Test]
    public void The_codec_gives_back_any_images() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 6], Gen.Int[1, 6])
            .SelectMany((n, h, w) => Gen.Byte.Select(b => (byte)(b < 128 ? 0 : b)).Array[n * h * w].Select(pixels => (pixels, h, w)))
            .Sample(c =>
            {
                var decoded = new byte[c.pixels.Length];
                GrayImageCodec.Decode(new MemoryStream(GrayImageCodec.Encode(c.pixels, c.h, c.w)), decoded, c.h, c.w);
                return decoded.AsSpan().SequenceEqual(c.pixels);
            }, iter: 200);

    static string Sha256(ImageDataset data) => Convert.ToHexStringLower(SHA256.HashData(data.Pixels.Span));
}
