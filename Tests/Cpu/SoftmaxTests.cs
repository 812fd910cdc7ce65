using CsCheck;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class SoftmaxTests
{
    static IEnumerable<double[]> Rows(float[] x, int channels) => x.Chunk(channels).Select(row => Array.ConvertAll(row, value => (double)value));

    static double[] LogSoftmax(double[] row)
    {
        var largest = row.Max();
        var logSum = largest + Math.Log(row.Sum(value => Math.Exp(value - largest)));
        return Array.ConvertAll(row, value => value - logSum);
    }

    [Test]
    public void Softmax_and_its_logarithm_equal_their_equations() => Gen.Select(Matrices, Seeds, Gen.Bool).ForAll((matrix, seed, logarithm) =>
    {
        Shape shape = [matrix.Rows, matrix.Channels];
        float[] values = Values(shape.Elements, seed, 100f, 5f), upstream = Values(shape.Elements, seed + 1);
        double[] expected = [.. Rows(values, matrix.Channels).SelectMany(LogSoftmax).Select(value => logarithm ? value : Math.Exp(value))];
        using var x = Unaligned(values, shape);
        var y = SameOnAnyThreads(() => { var y = Unaligned(values, shape); CpuBackend.Softmax(y, logarithm, y); return y; });
        AssertClose(y, expected, tolerance: 3e-6, scale: logarithm ? 1 : 1e-3);

        double[] gradient = [.. Rows(upstream, matrix.Channels).Zip(expected.Chunk(matrix.Channels), (d, p) =>
        {
            var sum = logarithm ? d.Sum() : d.Zip(p, (a, b) => a * b).Sum();
            return d.Zip(p, (a, b) => logarithm ? a - Math.Exp(b) * sum : b * (a - sum));
        }).SelectMany(row => row)];
        using var output = Unaligned(y, shape);
        var dx = SameOnAnyThreads(() => { var d = Unaligned(upstream, shape); CpuBackend.SoftmaxBackward(d, output, logarithm, d); return d; });
        // The sum over the row is rounded at the size of its terms, which thousands of channels make larger than the gradient.
        AssertClose(dx, gradient, tolerance: 3e-5);
    });

    [Test]
    public void CrossEntropy_and_its_gradient_equal_their_equations() => Gen.Select(Matrices, Seeds, Gen.OneOf(0f, 0.1f, 1f)).ForAll((matrix, seed, smoothing) =>
    {
        var (rows, classes) = matrix;
        float[] values = Values(rows * classes, seed, -50f, 4f), upstream = Values(rows, seed + 1);
        int[] label = [.. Values(rows, seed + 2, 0f, 1000f).Select(value => (int)Math.Abs(value) % classes)];
        using var logits = Unaligned(values, [rows, classes]);
        using var labels = IntTensor.FromArray(label);
        using Tensor probabilities = Result([rows, classes]), dLosses = Unaligned(upstream, [rows]);
        var losses = SameOnAnyThreads(() => { var losses = Result([rows]); CpuBackend.CrossEntropy(logits, labels, smoothing, probabilities, losses); return losses; });
        var logs = Rows(values, classes).Select(LogSoftmax).ToArray();
        AssertClose(losses, [.. logs.Select((row, i) => -(1 - smoothing) * row[label[i]] - smoothing / classes * row.Sum())], tolerance: 2e-6);
        AssertClose(probabilities.ToArray(), [.. logs.SelectMany(row => row.Select(Math.Exp))], tolerance: 3e-6, scale: 1e-3);

        CpuBackend.CrossEntropyBackward(dLosses, probabilities, labels, smoothing, probabilities);
        AssertClose(probabilities.ToArray(), [.. logs.SelectMany((row, i) => row.Select((value, c) =>
            upstream[i] * (Math.Exp(value) - (c == label[i] ? 1 - (double)smoothing : 0) - (double)smoothing / classes)))], tolerance: 1e-6);
    });

    [TestCase(-1)]
    [TestCase(10)]
    public void A_label_out_of_range_is_named(int wrong)
    {
        using Tensor logits = Tensor.Zeros([3, 10]), probabilities = Result([3, 10]), losses = Result([3]);
        using var labels = IntTensor.FromArray([0, wrong, 2]);
        var error = Assert.Throws<ArgumentException>(() => CpuBackend.CrossEntropy(logits, labels, 0f, probabilities, losses))!;
        Assert.That(error.Message, Does.Contain("row 1").And.Contain($" {wrong},").And.Contain("10 classes"));
    }

    [Test]
    public void Impossible_classes_have_probability_zero()
    {
        using Tensor x = Unaligned([float.NegativeInfinity, 0f, 0f], [1, 3]), y = Result([1, 3]);
        CpuBackend.Softmax(x, false, y);
        Assert.That(y.ToArray(), Is.EqualTo((float[])[0f, 0.5f, 0.5f]));
    }
}
