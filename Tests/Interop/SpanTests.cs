using System.Numerics.Tensors;

namespace QuadEngine.Tests.Interop;

/// <summary>Tensors and the rest of .NET: arrays, spans, and System.Numerics.Tensors over the same memory.</summary>
public class SpanTests
{
    [Test]
    public void Span_and_array_come_back_as_they_went()
    {
        float[] values = [1f, 2f, 3f, 4f, 5f, 6f];
        Assert.That(QuadEngine.Tensor.FromSpan(values.AsSpan(1, 4), [2, 2]).ToArray(), Is.EqualTo([2f, 3f, 4f, 5f]));
        var x = QuadEngine.Tensor.FromArray(values, [2, 3]);
        values[0] = 100f;
        using (var read = x.Read()) Assert.That(read.AsSpan().ToArray(), Is.EqualTo([1f, 2f, 3f, 4f, 5f, 6f]), "FromArray copies");
        var target = new float[6];
        x.CopyTo(target);
        Assert.That(target, Is.EqualTo([1f, 2f, 3f, 4f, 5f, 6f]));
    }

    [Test]
    public void Tensor_span_sees_the_memory_of_a_tensor_without_a_copy()
    {
        var x = QuadEngine.Tensor.FromArray([1f, 2f, 3f, 4f, 5f, 6f], [2, 3]);
        using var read = x.Read();
        var span = new ReadOnlyTensorSpan<float>(read.AsSpan(), [2, 3]);
        Assert.That((span[0, 2], span[1, 0]), Is.EqualTo((3f, 4f)));
        x.Assign(10f * x);
        Assert.That((span[0, 2], span[1, 0]), Is.EqualTo((30f, 40f)), "the same memory");
    }

    [Test]
    public void View_of_the_leading_axis_is_seen_in_place()
    {
        var rows = QuadEngine.Tensor.FromArray([1f, 2f, 3f, 4f, 5f, 6f], [3, 2]).Slice(0, 1, 2);
        using var read = rows.Read();
        Assert.That(read.AsSpan().ToArray(), Is.EqualTo([3f, 4f, 5f, 6f]));
        Assert.That(new ReadOnlyTensorSpan<float>(read.AsSpan(), [2, 2])[1, 0], Is.EqualTo(5f));
    }

    [Test]
    public void Primitives_of_the_base_library_read_tensors()
    {
        var x = QuadEngine.Tensor.Uniform([5, 7], -1f, 1f, new Generator(1));
        using var read = x.Read();
        Assert.That(TensorPrimitives.Norm(read.AsSpan()), Is.EqualTo(x.Square().Sum().Sqrt().Item()).Within(1e-5f));
    }

    [Test]
    public void Tensor_of_the_base_library_becomes_a_tensor()
    {
        var theirs = System.Numerics.Tensors.Tensor.Create([1f, 2f, 3f, 4f], [2, 2]);
        var values = new float[theirs.FlattenedLength];
        theirs.FlattenTo(values);
        Assert.That(QuadEngine.Tensor.FromSpan(values, [2, 2]).ToArray(), Is.EqualTo([1f, 2f, 3f, 4f]));
    }
}
