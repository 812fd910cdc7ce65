namespace QuadEngine.Tests.Operations;

/// <summary>Tensors in the debugger and in a console.</summary>
public class TensorTextTests
{
    static string Lines(params string[] lines) => string.Join('\n', lines);

    [Test]
    public void Values_stand_in_rows_and_columns()
    {
        Assert.That(Tensor.FromArray([1, 2, 3, 4, 5, -6.5f], [2, 3]).ToString(), Is.EqualTo(Lines("Tensor[2, 3] on cpu:", "[[   1,    2,    3],", " [   4,    5, -6.5]]")));
        Assert.That(Tensor.FromArray([1, 2], [2]).ToString(), Is.EqualTo("Tensor[2] on cpu: [1, 2]"));
        Assert.That(Tensor.Scalar(0.1f).ToString(), Is.EqualTo("Tensor[] on cpu: 0.1"));
        Assert.That(Tensor.Zeros([0]).ToString(), Is.EqualTo("Tensor[0] on cpu: []"));
        Assert.That(Tensor.Zeros([2, 0]).ToString(), Is.EqualTo(Lines("Tensor[2, 0] on cpu:", "[[],", " []]")));
        Assert.That(Tensor.FromArray([1, 2, 3, 4, 5, 6, 7, 8], [2, 2, 2]).ToString(), Is.EqualTo(Lines("Tensor[2, 2, 2] on cpu:", "[[[1, 2],", "  [3, 4]],", "", " [[5, 6],", "  [7, 8]]]")));
        Assert.That(IntTensor.FromArray([3, 10]).ToString(), Is.EqualTo("IntTensor[2] on cpu: [ 3, 10]"));
    }

    [Test]
    public void Small_columns_are_shown_and_large_tensors_by_their_edges()
    {
        var column = Tensor.FromArray([.. Enumerable.Range(0, 256).Select(i => (float)i)], [256, 1]).ToString();
        Assert.That(column.Split('\n'), Has.Length.EqualTo(257).And.Contain(" [ 77],"));

        var large = Tensor.FromArray([.. Enumerable.Range(0, 10_000).Select(i => (float)i)], [100, 100]).ToString().Split('\n');
        Assert.That(large, Has.Length.EqualTo(8));
        Assert.That(large[1], Is.EqualTo("[[   0,    1,    2, ...,   97,   98,   99],"));
        Assert.That(large[4], Is.EqualTo(" ...,"));
        Assert.That(large[^1], Is.EqualTo(" [9900, 9901, 9902, ..., 9997, 9998, 9999]]"));
        Assert.That(IntTensor.FromArray([.. Enumerable.Range(0, 5000)]).ToString(), Is.EqualTo("IntTensor[5000] on cpu: [   0,    1,    2, ..., 4997, 4998, 4999]"));
    }

    [Test]
    public void Long_rows_go_on_in_the_next_line()
    {
        var lines = Tensor.FromArray([.. Enumerable.Range(0, 60).Select(i => i + 0.5f)], [2, 30]).ToString().Split('\n');
        Assert.That(lines.Select(line => line.Length), Has.All.LessThanOrEqualTo(100));
        Assert.That(lines, Has.Length.EqualTo(5));
        Assert.That(lines[2], Does.StartWith("  16.5"));
    }

    [Test]
    public void What_is_gone_says_so()
    {
        var tensor = Tensor.Ones([2]);
        tensor.Dispose();
        var integers = IntTensor.FromArray([1]);
        integers.Dispose();
        Assert.That((tensor.ToString(), integers.ToString()), Is.EqualTo(("Tensor[2] (dropped)", "IntTensor[1] (disposed)")));
    }

    [Test]
    public void Nothing_is_no_tensor_and_no_shape()
    {
        Assert.That(() => Tensor.FromArray(null!, [1]), Throws.ArgumentNullException);
        Assert.That(() => IntTensor.FromArray(null!), Throws.ArgumentNullException);
        Assert.That(() => { Shape none = (int[])null!; }, Throws.ArgumentNullException);
    }

    [Test]
    public void A_shape_has_a_constructor()
    {
        Assert.That(new Shape(2, 3), Is.EqualTo(Shape.Create([2, 3])));
        Assert.That(new Shape(), Is.EqualTo(Shape.Create([])));
        int[] extents = [2];
        var shape = new Shape(extents);
        extents[0] = 5;
        Assert.That(shape[0], Is.EqualTo(2), "it is a copy");
        Assert.That(() => new Shape(2, -1), Throws.ArgumentException.With.Message.Contains("negative"));
    }
}
