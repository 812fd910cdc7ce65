using CsCheck;

namespace QuadEngine.Tests.Operations;

/// <summary>Shapes as a collection of extents, and broadcasting.</summary>
public class ShapeTests
{
    static readonly Gen<int[]> Extents = Gen.Int[1, 6].Array[0, 5];

    [Test]
    public void Spreads_and_counts_from_the_end_as_its_extents_do() => Extents.Sample(extents =>
    {
        Shape shape = extents;
        Assert.That((int[])[7, .. shape, 9], Is.EqualTo((int[])[7, .. extents, 9]));
        Shape wider = [.. shape, 9];
        Assert.That(wider.ToArray(), Is.EqualTo((int[])[.. extents, 9]));
        for (var i = 1; i <= extents.Length; i++) Assert.That(shape[^i], Is.EqualTo(extents[^i]));
        Assert.That(shape.Elements, Is.EqualTo(extents.Aggregate(1, (product, extent) => product * extent)));
    });

    [Test]
    public void Rows_times_channels_are_all_elements() => Extents.Sample(extents => new Shape[] { extents }.All(shape => shape.Rows * shape.Channels == shape.Elements));

    [Test]
    public void Broadcasting_is_symmetric_and_absorbs_its_operands() => Gen.Select(Extents, Gen.Int[0, 31], Gen.Int[0, 5]).Sample((extents, ones, missing) =>
    {
        Shape whole = extents;
        Shape part = extents.Select((extent, axis) => (ones >> axis & 1) == 1 ? 1 : extent).Skip(missing).ToArray();
        Assert.That(Shape.Broadcast(whole, part, "test"), Is.EqualTo(whole));
        Assert.That(Shape.Broadcast(part, whole, "test"), Is.EqualTo(whole));
    });

    [Test]
    public void Shapes_that_do_not_broadcast_are_named_with_the_axis() => Assert.That(() => Shape.Broadcast([4, 3], [4, 2], "add"),
        Throws.ArgumentException.With.Message.EqualTo("add: shapes [4, 3] and [4, 2] do not broadcast: axis -1 is 3 on the left and 2 on the right; they must be equal, or one of them 1."));

    [Test]
    public void Too_many_elements_and_negative_extents_are_refused() => Assert.Multiple(() =>
    {
        Assert.That(() => Shape.Create([1 << 16, 1 << 16]), Throws.ArgumentException.With.Message.Contains("2^31"));
        Assert.That(() => Shape.Create([2, -1]), Throws.ArgumentException.With.Message.Contains("-1"));
    });

    [Test]
    public void An_empty_batch_keeps_its_features() => Assert.That(Tensor.Zeros([0, 5, 4]).Flatten().Shape, Is.EqualTo(new Shape[] { [0, 20] }[0]));

    // 2 padding, or dilation times the window, is larger than 2^31. No such window fits, and its size must not overflow to one that fits.
    [TestCase(int.MaxValue, 1)]
    [TestCase(1 << 30, 1)]
    [TestCase(1, int.MaxValue)]
    [TestCase(1, 1 << 30)]
    public void Absurd_windows_are_refused(int padding, int dilation)
    {
        Tensor x = Tensor.Zeros([1, 4, 4, 1]), filter = Tensor.Zeros([3, 3, 1, 1]);
        Assert.That(() => x.Conv2d(filter, null, stride: 1 << 30, padding, dilation), Throws.ArgumentException.With.Message.StartsWith("Conv2d: "));
        Assert.That(() => x.MaxPool2d(3, 1 << 30, padding, dilation), Throws.ArgumentException.With.Message.StartsWith("MaxPool2d: "));
    }
}
