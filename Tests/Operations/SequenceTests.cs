namespace QuadEngine.Tests.Operations;

/// <summary>Tensors of numbers that follow a rule: each number is the exact result of the rule, rounded once.</summary>
public class SequenceTests
{
    static readonly TestCaseData[] Ranges =
    [
        new(Tensor.Arange(0, 1, 0.1), (float[])[0f, 0.1f, 0.2f, 0.3f, 0.4f, 0.5f, 0.6f, 0.7f, 0.8f, 0.9f]),
        new(Tensor.Arange(1, 1.3, 0.1), (float[])[1f, 1.1f, 1.2f]),          // (1.3 - 1) / 0.1 is above 3 in double
        new(Tensor.Arange(0, 0.3, 0.1), (float[])[0f, 0.1f, 0.2f]),          // and 0.3 / 0.1 is below
        new(Tensor.Arange(0, 0.31, 0.1), (float[])[0f, 0.1f, 0.2f, 0.3f]),
        new(Tensor.Arange(2, -1, -1), (float[])[2f, 1f, 0f]),
        new(Tensor.Arange(2, -1, -2), (float[])[2f, 0f]),
        new(Tensor.Arange(3, 3), (float[])[]),
        new(Tensor.Arange(0, 1, 5), (float[])[0f]),
        new(Tensor.Arange(3), (float[])[0f, 1f, 2f]),
        new(Tensor.Arange(0), (float[])[]),
        new(Tensor.Linspace(0, 1, 5), (float[])[0f, 0.25f, 0.5f, 0.75f, 1f]),
        new(Tensor.Linspace(0.1, 0.7, 3), (float[])[0.1f, 0.4f, 0.7f]),
        new(Tensor.Linspace(3, -3, 4), (float[])[3f, 1f, -1f, -3f]),
        new(Tensor.Linspace(5, 9, 1), (float[])[5f]),
        new(Tensor.Linspace(5, 9, 0), (float[])[]),
        new(Tensor.Eye(2), (float[])[1f, 0f, 0f, 1f]),
        new(Tensor.Eye(1), (float[])[1f]),
        new(Tensor.Eye(0), (float[])[]),
    ];

    [TestCaseSource(nameof(Ranges))]
    public void Values_are_exact(Tensor got, float[] expected) => Assert.That(got.ToArray(), Is.EqualTo(expected));

    [Test]
    public void No_error_accumulates() => Assert.Multiple(() =>
    {
        var tenths = Tensor.Arange(0, 100_000, 0.1).ToArray();
        Assert.That(tenths, Has.Length.EqualTo(1_000_000));
        Assert.That(tenths[^1], Is.EqualTo(99_999.9f));
        var thirds = Tensor.Linspace(-1.0 / 3, 1.0 / 3, 100_001).ToArray();
        Assert.That((thirds[0], thirds[50_000], thirds[^1]), Is.EqualTo((-1f / 3f, 0f, 1f / 3f)));
        for (var i = 0; i < thirds.Length; i++) Assert.That(thirds[i], Is.EqualTo(-thirds[^(i + 1)]));
    });

    [Test]
    public void Shapes_are_those_of_the_count()
    {
        Assert.That(Tensor.Arange(4).Shape, Is.EqualTo(new Shape(4)));
        Assert.That(Tensor.Linspace(0, 1, 3).Shape, Is.EqualTo(new Shape(3)));
        Assert.That(Tensor.Eye(3).Shape, Is.EqualTo(new Shape(3, 3)));
    }

    [Test]
    public void Integers_reach_to_the_ends_of_their_range() => Assert.Multiple(() =>
    {
        Assert.That(IntTensor.Arange(4).ToArray(), Is.EqualTo((int[])[0, 1, 2, 3]));
        Assert.That(IntTensor.Arange(2, 8, 3).ToArray(), Is.EqualTo((int[])[2, 5]));
        Assert.That(IntTensor.Arange(2, 9, 3).ToArray(), Is.EqualTo((int[])[2, 5, 8]));
        Assert.That(IntTensor.Arange(1, -3, -2).ToArray(), Is.EqualTo((int[])[1, -1]));
        Assert.That(IntTensor.Arange(5, 5).ToArray(), Is.Empty);
        Assert.That(IntTensor.Arange(int.MaxValue - 2, int.MaxValue, 2).ToArray(), Is.EqualTo((int[])[int.MaxValue - 2]));
        Assert.That(IntTensor.Arange(int.MinValue, int.MaxValue, int.MaxValue).ToArray(), Is.EqualTo((int[])[int.MinValue, -1, int.MaxValue - 1]));
        Assert.That(IntTensor.Arange(int.MaxValue, int.MinValue, int.MinValue).ToArray(), Is.EqualTo((int[])[int.MaxValue, -1]));
    });

    [Test]
    public void The_first_smallest_is_found_as_the_first_largest_is() => Assert.Multiple(() =>
    {
        var x = Tensor.FromArray([2f, -1f, -1f, 0f, float.NaN, -5f], [2, 3]);
        Assert.That(x.ArgMin().ToArray(), Is.EqualTo((int[])[1, 1]));
        Assert.That(x.ArgMin(0).ToArray(), Is.EqualTo((int[])[1, 1, 1]));
        Assert.That(x.ArgMax().ToArray(), Is.EqualTo((int[])[0, 1]));
    });

    [Test]
    public void Parts_along_the_leading_axis_are_views()
    {
        var x = Tensor.Arange(6).Reshape(3, 2);
        var parts = x.Split([1, 2]);
        parts[1].Assign([7f, 7f, 7f, 7f]);
        Assert.That(x.ToArray(), Is.EqualTo((float[])[0f, 1f, 7f, 7f, 7f, 7f]));
        Assert.That(x.Unsqueeze(0).Storage, Is.SameAs(x.Storage));
    }
}
