using CsCheck;
using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

/// <summary>An augmentation from outside the engine keeps the engine's promises.</summary>
public class AugmentationTests
{
    static readonly ImageDataset Data = DataFiles.Images(103, 6, 5, 3, Normalization.ImageNet, classes: 103);

    /// <summary>Draws more words than a block has, and leaves a part of the image unwritten.</summary>
    sealed record Speckled : Augmentation
    {
        public override void Apply(ReadOnlySpan<byte> image, Shape shape, ImageRandom random, Span<byte> to)
        {
            Assert.That(to.IndexOfAnyExcept((byte)0), Is.EqualTo(-1), "black at first");
            image[..(image.Length / 2)].CopyTo(to);
            for (var i = 0; i < 7; i++) to[random.NextBelow(image.Length / 2)] = random.NextCoin() ? (byte)255 : (byte)(100f * random.NextUnit());
        }
    }

    sealed record Broken : Augmentation
    {
        public override void Apply(ReadOnlySpan<byte> image, Shape shape, ImageRandom random, Span<byte> to) => throw new InvalidOperationException("an image of somebody");
    }

    [Test]
    public void It_gives_the_same_bits_on_any_number_of_threads_and_wherever_an_epoch_begins([Values(0, 1, 4)] int prefetch)
    {
        var one = Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: new Speckled(), prefetch: 0));
        Assert.That(Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: new Speckled(), prefetch: prefetch)), Is.EqualTo(one));
        Assert.That(Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: new Speckled(), prefetch: prefetch, start: 5)), Is.EqualTo(one[(5 * 8 * 90)..]));
        using var placed = Data.To(Device.Cpu);
        Assert.That(Everything(placed.Batches(8, seed: 1, epoch: 3, augmentation: new Speckled())), Is.EqualTo(one));
    }

    [Test]
    public void It_differs_by_seed_and_epoch_and_image()
    {
        float[] Of(ulong seed, int epoch, int image)
        {
            var to = new float[90];
            new Speckled().Write(Data.Image(0), Data.ImageShape, image, seed, epoch, Data.Normalization.Levels, to);
            return to;
        }

        var (one, again) = (Of(1, 1, 1), Of(1, 1, 1));
        Assert.That(again, Is.EqualTo(one));
        Assert.That(Of(2, 1, 1), Is.Not.EqualTo(one));
        Assert.That(Of(1, 2, 1), Is.Not.EqualTo(one));
        Assert.That(Of(1, 1, 2), Is.Not.EqualTo(one));
    }

    [Test]
    public void What_it_throws_reaches_who_asks_for_the_batch([Values(0, 2)] int prefetch) =>
        Assert.That(() => Data.Batches(8, seed: 1, augmentation: new Broken(), prefetch: prefetch).ToArray(), Throws.InvalidOperationException.With.Message.EqualTo("an image of somebody"));

    [Test]
    public void It_needs_a_seed() =>
        Assert.That(() => Data.Batches(8, augmentation: new Speckled()), Throws.ArgumentException.With.Message.Contains("seed: 1"));

    [Test]
    public void Random_words_are_those_of_the_image_and_never_repeat_a_block()
    {
        var stream = EpochRandom.AugmentStream(seed: 3, epoch: 2);
        var random = new ImageRandom(stream, 7);
        uint[] words = [.. Enumerable.Range(0, 12).Select(_ => random.Next())];
        var (x, y, z, w) = stream.At(7);
        Assert.That(words[..4], Is.EqualTo(new[] { x, y, z, w }));
        Assert.That(words, Is.Unique);
        Assert.That(() => random.NextBelow(0), Throws.ArgumentException.With.Message.Contains("bound is 0"));
    }

    [Test]
    public void A_crop_of_bytes_is_the_window_that_devices_cut() =>
        (from height in Gen.Int[1, 9]
         from width in Gen.Int[1, 9]
         from channels in Gen.Bool.Select(colour => colour ? 3 : 1)
         from padding in Gen.Int[0, 12]
         from flip in Gen.Bool
         from image in Gen.Int[0, 30]
         select (height, width, channels, padding, flip, image)).Sample(x =>
        {
            var data = DataFiles.Images(1, x.height, x.width, x.channels);
            var augmentation = new CropFlip(x.padding, x.flip);
            var bytes = new byte[data.ImageShape.Elements];
            augmentation.Apply(data.Image(0), data.ImageShape, new ImageRandom(EpochRandom.AugmentStream(5, 1), x.image), bytes);
            float[] expected = new float[bytes.Length], got = new float[bytes.Length];
            augmentation.Write(data.Image(0), data.ImageShape, x.image, 5, 1, data.Normalization.Levels, expected);
            data.Normalization.Apply(bytes, got);
            return got.SequenceEqual(expected);
        }, iter: 300);

    [TestCase("none", 28, 0, false)]
    [TestCase("flip", 28, 0, true)]
    [TestCase("crop", 32, 4, false)]
    [TestCase("crop-flip", 64, 8, true)]
    public void Names_give_the_usual_ones(string name, int side, int padding, bool flip) =>
        Assert.That(Augmentations.Create(name, [side, side, 3]), Is.EqualTo(new CropFlip(padding, flip)));

    [Test]
    public void Padding_is_an_option_of_crops_alone()
    {
        Assert.That(Augmentations.Create(new("crop", ("padding", 2)), [32, 32, 3]), Is.EqualTo(new CropFlip(2)));
        Assert.That(() => Augmentations.Create(new("flip", ("padding", 2)), [32, 32, 3]), Throws.ArgumentException.With.Message.Contains("\"flip\" has no option \"padding\""));
    }

    static float[] Everything(Loader batches) => [.. batches.SelectMany(batch => batch.Input.ToArray())];
}
