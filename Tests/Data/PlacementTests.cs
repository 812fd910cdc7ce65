using CsCheck;
using QuadEngine.Data;
using QuadEngine.Devices;

namespace QuadEngine.Tests.Data;

public class PlacementTests
{
    static readonly Normalization[] Normalizations = [new([0.3f], [0.2f]), new([0.1f, 0.9f], [1f, 0.5f]), Normalization.ImageNet];

    /// <summary>The transforms one after the other, for one pixel.</summary>
    static float Plain(ImageDataset data, int image, Placement placement, int h, int w, int c)
    {
        var column = placement.Mirrored ? data.Width - 1 - w : w;                    // flip of the crop
        int y = h + placement.Down, x = column + placement.Right;                     // crop of the padded image
        var inside = y >= 0 && y < data.Height && x >= 0 && x < data.Width;
        var pixel = inside ? data.Image(image)[(y * data.Width + x) * data.Channels + c] : (byte)0;
        return (pixel / 255f - data.Normalization.Mean[c]) / data.Normalization.Std[c];
    }

    [Test]
    public void Fused_transforms_equal_the_plain_ones_bit_for_bit() =>
        Gen.Select(Gen.Int[1, 9], Gen.Int[1, 9], Gen.Int[1, 3], Gen.Int[-12, 12], Gen.Int[-12, 12], Gen.Bool).Sample((h, w, c, down, right, mirrored) =>
        {
            var data = DataFiles.Images(2, h, w, c, Normalizations[c - 1]);
            var placement = new Placement(down, right, mirrored);
            var got = new float[h * w * c];
            placement.Write(data.Image(1), w, data.Normalization.Levels, got);

            for (var i = 0; i < got.Length; i++)
                if (got[i] != Plain(data, 1, placement, i / (w * c), i / c % w, i % c))
                    return false;
            return true;
        });

    [Test]
    public void Augmentation_stays_within_its_padding_and_reaches_all_of_it()
    {
        var drawn = Enumerable.Range(0, 5000).Select(image => Augmentation.PadCropFlip.Windows(seed: 3, epoch: 2)!.Value.Of(image)).ToArray();

        Assert.That(drawn.Select(p => p.Down).Distinct().Order(), Is.EqualTo(Enumerable.Range(-4, 9)));
        Assert.That(drawn.Select(p => p.Right).Distinct().Order(), Is.EqualTo(Enumerable.Range(-4, 9)));
        Assert.That(drawn.CountBy(p => (p.Down, p.Right)).Count(), Is.EqualTo(81), "down and right are drawn apart");
        Assert.That(drawn.Count(p => p.Mirrored), Is.InRange(2350, 2650));        // 4 standard deviations around 2500
    }

    [Test]
    public void Augmentation_depends_on_seed_epoch_and_image()
    {
        var padding = new CropFlip(Padding: 1000);
        var one = padding.Windows(seed: 1, epoch: 1)!.Value.Of(image: 1);
        Assert.That(padding.Windows(seed: 1, epoch: 1)!.Value.Of(image: 1), Is.EqualTo(one));
        Assert.That(padding.Windows(seed: 2, epoch: 1)!.Value.Of(image: 1), Is.Not.EqualTo(one));
        Assert.That(padding.Windows(seed: 1, epoch: 2)!.Value.Of(image: 1), Is.Not.EqualTo(one));
        Assert.That(padding.Windows(seed: 1, epoch: 1)!.Value.Of(image: 2), Is.Not.EqualTo(one));
    }

    [Test]
    public void Paddings_however_large_move_the_image_out_of_sight_and_no_further([Values(1 << 30, int.MaxValue)] int padding)
    {
        var data = DataFiles.Images(200, 3, 3, 1);
        var windows = new CropFlip(padding, Flip: true).Windows(seed: 1, epoch: 0)!.Value;
        var got = new float[9];
        for (var image = 0; image < data.Count; image++)
        {
            windows.Of(image).Write(data.Image(image), data.Width, data.Normalization.Levels, got);
            Assert.That(got, Is.All.Zero);
        }
    }

    [Test]
    public void Negative_padding_is_refused() =>
        Assert.That(() => new CropFlip(Padding: -1), Throws.InstanceOf<ArgumentException>().With.Message.Contain("padding is -1"));
}
