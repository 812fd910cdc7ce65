using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

public class LoaderTests
{
    static readonly ImageDataset Data = DataFiles.Images(103, 6, 5, 3, Normalization.ImageNet, classes: 103);

    [Test]
    public void Without_a_seed_the_batches_are_the_data_in_order()
    {
        var next = 0;
        foreach (var (images, labels) in Data.Batches(25))
        {
            var count = Math.Min(25, 103 - next);
            Assert.That(images.Shape.ToArray(), Is.EqualTo(new[] { count, 6, 5, 3 }));
            Assert.That(labels.ToArray(), Is.EqualTo(Enumerable.Range(next, count)));

            var expected = new float[90];
            Data.Normalization.Apply(Data.Image(next), expected);
            Assert.That(images.ToArray()[..90], Is.EqualTo(expected));
            next += count;
        }
        Assert.That(next, Is.EqualTo(103));
    }

    [Test]
    public void A_seeded_epoch_has_each_image_once_in_an_order_of_its_own()
    {
        var orders = new[] { (1ul, 0), (1ul, 1), (2ul, 0) }.Select(key => Labels(Data.Batches(25, seed: key.Item1, epoch: key.Item2))).ToArray();

        foreach (var order in orders)
            Assert.That(order.Order(), Is.EqualTo(Enumerable.Range(0, 103)));
        Assert.That(orders[0], Is.Not.EqualTo(orders[1]).And.Not.EqualTo(orders[2]).And.Not.EqualTo(Enumerable.Range(0, 103)));
    }

    [Test]
    public void The_shuffle_is_fair()
    {
        // The place of each of 8 items over 8000 epochs: 1000 for each place expected, standard deviation 30.
        var landed = new int[8, 8];
        for (var epoch = 0; epoch < 8000; epoch++)
            foreach (var (place, item) in EpochRandom.Permutation(8, seed: 5, epoch).Index())
                landed[item, place]++;
        Assert.That(landed.Cast<int>(), Is.All.InRange(850, 1150));
    }

    [Test]
    public void Any_number_of_threads_gives_the_same_bits([Values(1, 2, 4, 16)] int prefetch)
    {
        var one = Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: Augmentation.PadCropFlip, prefetch: 0));
        var many = Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: Augmentation.PadCropFlip, prefetch: prefetch));
        Assert.That(many, Is.EqualTo(one));
    }

    [Test]
    public void An_epoch_resumed_in_its_middle_goes_on_with_the_same_bits([Values(0, 1, 7, 13)] int start)
    {
        var whole = Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: Augmentation.PadCropFlip));
        var rest = Everything(Data.Batches(8, seed: 1, epoch: 3, augmentation: Augmentation.PadCropFlip, start: start));
        Assert.That(whole, Has.Count.EqualTo(13));
        Assert.That(rest, Is.EqualTo(whole.Skip(start)));
    }

    [Test]
    public void The_last_batch_is_smaller_or_dropped()
    {
        Assert.That(Data.Batches(25).Select(b => b.Target.Length), Is.EqualTo(new[] { 25, 25, 25, 25, 3 }));
        Assert.That(Data.Batches(25, dropLast: true).Select(b => b.Target.Length), Is.EqualTo(new[] { 25, 25, 25, 25 }));
        Assert.That(Data.Batches(25).Count, Is.EqualTo(5));
        Assert.That(Data.Batches(25, dropLast: true).Count, Is.EqualTo(4));
        Assert.That(Data.Take(0).Batches(25), Is.Empty);
    }

    [Test]
    public void A_loader_can_be_enumerated_again()
    {
        var loader = Data.Batches(25, seed: 1);
        var first = Labels(loader);
        Assert.That(Labels(loader), Is.EqualTo(first));
    }

    [Test]
    public void Batches_stay_readable_after_the_loop_has_moved_on()
    {
        var kept = Data.Batches(25).ToList();
        Assert.That(kept[0].Input.ToArray(), Is.Not.EqualTo(kept[1].Input.ToArray()));
        Assert.That(kept.SelectMany(b => b.Target.ToArray()), Is.EqualTo(Enumerable.Range(0, 103)));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        Assert.That(() => Data.Batches(0), Throws.ArgumentException.With.Message.Contain("batchSize is 0"));
        Assert.That(() => Data.Batches(25, epoch: -1), Throws.ArgumentException.With.Message.Contain("epoch is -1"));
        Assert.That(() => Data.Batches(25, start: 6), Throws.ArgumentException.With.Message.Contain("start is 6, expected 0 to 5"));
        Assert.That(() => Data.Batches(25, augmentation: Augmentation.PadCropFlip), Throws.ArgumentException.With.Message.Contain("seed: 1"));
    }

    static List<int> Labels(Loader loader) => [.. loader.SelectMany(batch => batch.Target.ToArray())];

    static List<(string Images, string Labels)> Everything(Loader loader) =>
        [.. loader.Select(batch => (string.Join(' ', batch.Input.ToArray()), string.Join(' ', batch.Target.ToArray())))];

    [Test]
    public void A_batch_larger_than_the_data_is_all_of_it() =>
        Assert.That(Data.Batches(int.MaxValue).Select(batch => batch.Target.Length), Is.EqualTo((int[])[103]));

    [Test]
    public void Shuffled_for_training_a_last_image_that_would_be_alone_joins_the_batch_before()
    {
        foreach (var prefetch in new[] { 0, 3 })
            Assert.That(Data.Batches(34, seed: 1, prefetch: prefetch).Select(b => b.Target.Length), Is.EqualTo(new[] { 34, 34, 35 }));
        Assert.That(Data.Batches(34, seed: 1).SelectMany(b => b.Target.ToArray()).Order(), Is.EqualTo(Enumerable.Range(0, 103)));
        Assert.That(Data.Batches(34, seed: 1, start: 2).Single().Target.ToArray(), Is.EqualTo(Data.Batches(34, seed: 1).Last().Target.ToArray()));
        Assert.That(Data.Batches(34).Select(b => b.Target.Length), Is.EqualTo(new[] { 34, 34, 34, 1 }), "evaluation");
        Assert.That(Data.Batches(34, seed: 1, dropLast: true).Select(b => b.Target.Length), Is.EqualTo(new[] { 34, 34, 34 }));
        Assert.That(Data.Take(1).Batches(34, seed: 1).Select(b => b.Target.Length), Is.EqualTo(new[] { 1 }));
        Assert.That(Data.Take(3).Batches(1, seed: 1).Select(b => b.Target.Length), Is.EqualTo(new[] { 1, 1, 1 }));
    }
}
