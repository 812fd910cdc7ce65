using QuadEngine.Data;

namespace QuadEngine.Tests.Data;

/// <summary>Examples of any kind, in batches.</summary>
sealed class ExampleSetTests
{
    static readonly ExampleSet<Batch<Tensor, IntTensor>> Rows = ExampleSet.Of(Tensor.FromArray([.. Enumerable.Range(0, 22).Select(i => (float)i)], [11, 2]), IntTensor.FromArray([.. Enumerable.Range(0, 11)]), "rows");

    [Test]
    public void Batches_hold_each_example_once_with_its_target()
    {
        foreach (var seed in (ulong?[])[null, 7])
        {
            var batches = Rows.Batches(4, seed).ToArray();
            Assert.That(batches.Select(batch => batch.Input.Shape.ToArray()), Is.EqualTo(new[] { new[] { 4, 2 }, [4, 2], [3, 2] }));
            var labels = batches.SelectMany(batch => batch.Target.ToArray()).ToArray();
            Assert.That(labels.Order(), Is.EqualTo(Enumerable.Range(0, 11)));
            Assert.That(labels.SequenceEqual(Enumerable.Range(0, 11)), Is.EqualTo(seed is null), "shuffled where there is a seed");
            Assert.That(batches.SelectMany(batch => batch.Input.ToArray()), Is.EqualTo(labels.SelectMany(label => new[] { 2f * label, 2f * label + 1f })));
        }

        var (first, again, next) = (Labels(Rows.Batches(4, 7)), Labels(Rows.Batches(4, 7)), Labels(Rows.Batches(4, 7, epoch: 1)));
        Assert.That(first, Is.EqualTo(again).And.Not.EqualTo(next));
        Assert.That(Labels(Rows.To(Device.Cpu).Batches(new EpochOrder(4, 7, Start: 2))), Is.EqualTo(Labels(Rows.Batches(4, 7))[8..]), "from its middle");
        Assert.That(Rows.Batches(5, 7).Select(batch => batch.Target.Length), Is.EqualTo(new[] { 5, 6 }), "one alone joins the batch before it");
        Assert.That(Rows.Batches(4, 7, dropLast: true).Select(batch => batch.Target.Length), Is.EqualTo(new[] { 4, 4 }));
    }

    [Test]
    public void Parts_have_no_common_example()
    {
        var (train, test) = Rows.Split(0.3f, seed: 2);
        Assert.That((train.Count, test.Count), Is.EqualTo((8, 3)));
        Assert.That(Labels(train.Batches(8)).Concat(Labels(test.Batches(8))).Order(), Is.EqualTo(Enumerable.Range(0, 11)));
        Assert.That(Labels(Rows.Slice(3, 4).Slice(1, 2).Batches(9)), Is.EqualTo(new[] { 4, 5 }));
        Assert.That(Rows.Slice(2, 0).Batches(3), Is.Empty);
        Assert.That((Rows.Slice(0, 2).Split(0.01f).Test.Count, Rows.Slice(0, 2).Split(0.99f).Train.Count), Is.EqualTo((1, 1)));
    }

    [Test]
    public void Random_changes_follow_from_seed_epoch_and_example_alone()
    {
        var drawn = new Drawn(9);
        int[] Of(int batchSize, EpochOrder order) => [.. drawn.To(Device.Cpu).Batches(order with { BatchSize = batchSize }).SelectMany(batch => batch.Target.ToArray().Zip(batch.Input.ToArray())).OrderBy(pair => pair.First).Select(pair => pair.Second)];
        var first = Of(4, new(0, Seed: 1));
        Assert.That(first, Is.EqualTo(Of(2, new(0, Seed: 1))).And.Not.EqualTo(Of(4, new(0, Seed: 1, Epoch: 1))).And.Not.EqualTo(Of(4, new(0, Seed: 2))));
        Assert.That(Of(4, new(0)), Is.All.EqualTo(0), "none in evaluation");
        Assert.That(Of(4, new(0, Seed: 1, Changed: false)), Is.All.EqualTo(0));
    }

    [Test]
    public void Wrong_arguments_are_named()
    {
        Assert.That(() => Rows.Batches(0), Throws.ArgumentException.With.Message.Contains("batchSize is 0"));
        Assert.That(() => Rows.Batches(2, epoch: -1), Throws.ArgumentException.With.Message.Contains("epoch is -1"));
        Assert.That(() => Rows.Slice(3, 9), Throws.ArgumentException.With.Message.Contains("9 examples from example 3 were requested"));
        Assert.That(() => Rows.Split(1f), Throws.ArgumentException.With.Message.Contains("share is 1"));
        Assert.That(() => Rows.Slice(0, 1).Split(), Throws.ArgumentException.With.Message.Contains("1 examples"));
        Assert.That(() => ExampleSet.Of(Tensor.Ones([3, 1]), Tensor.Ones([2, 1])), Throws.ArgumentException.With.Message.Contains("3 inputs and 2 targets"));
        Assert.That(() => ExampleSet.Of(Tensor.Scalar(1f), Tensor.Ones([1])), Throws.ArgumentException.With.Message.Contains("[]"));
    }

    static int[] Labels(IEnumerable<Batch<Tensor, IntTensor>> batches) => [.. batches.SelectMany(batch => batch.Target.ToArray())];

    sealed class Drawn(int count) : ExampleSet<Batch<IntTensor, IntTensor>>("drawn")
    {
        public override int Count => count;

        protected override Batch<IntTensor, IntTensor> Gather(ReadOnlySpan<int> examples, RandomStream? random) =>
            new(IntTensor.FromArray([.. examples.ToArray().Select(example => random is { } stream ? (int)(stream.At(example).X >> 1) : 0)]), IntTensor.FromArray(examples.ToArray()));
    }
}
