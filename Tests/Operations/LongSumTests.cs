namespace QuadEngine.Tests.Operations;

/// <summary>Sums of millions of terms are right to 1e-6.</summary>
public class LongSumTests
{
    const int Long = 10_000_000;

    static float[] Values(int count) => Tensor.Uniform([count], -0.5f, 1f, new Generator(5)).ToArray();

    static void Near(string name, double got, double right) => Assert.That(Math.Abs(got / right - 1), Is.LessThan(1e-6), $"{name}: got {got:R}, right is {right:R}");

    [Test]
    public void Sum_mean_variance_and_norm()
    {
        var values = Values(Long);
        double sum = values.Sum(value => (double)value), mean = sum / Long, variance = values.Average(value => (value - mean) * (value - mean));
        using var x = Tensor.FromArray(values, [Long]);
        Assert.Multiple(() =>
        {
            Near("sum", x.Sum().Item(), sum);
            Near("mean", x.Mean().Item(), mean);
            Near("variance", x.Variance().Item(), variance);
            Near("norm", GradientClipping.Norm([new Parameter(Tensor.Zeros([Long])) { Grad = x }]), Math.Sqrt(values.Sum(value => (double)value * value)));
            Near("columns", x.Reshape(Long / 5, 5).Sum([0]).ToArray()[3], values.Where((_, i) => i % 5 == 3).Sum(value => (double)value));
        });
    }

    [TestCase(100_000)]
    [TestCase(Long)]
    public void Softmax_of_a_long_row(int length)
    {
        var row = Enumerable.Repeat(-0.1f, length).ToArray();
        row[0] = 0f;
        using var x = Tensor.FromArray(row, [1, length]);
        x.RequiresGrad = true;
        var sum = 1 + (length - 1) * Math.Exp(-0.1f);
        var y = x.Softmax();
        var p = y.ToArray();
        Near("their sum", p.Sum(value => (double)value), 1);
        Near("the largest", p[0], 1 / sum);
        Near("logarithm", x.LogSoftmax().ToArray()[0], -Math.Log(sum));
        Near("cross-entropy", Losses.CrossEntropy(x, IntTensor.FromArray([0])).Item(), Math.Log(sum));
        Near("smoothed", Losses.CrossEntropy(x, IntTensor.FromArray([0]), 0.5f).Item(), Math.Log(sum) + 0.5 * 0.1f * (length - 1) / length);

        // dx = y (dy - sum dy y) with dy = 1 for all but the first: -y_0 (1 - y_0) there.
        var dy = Enumerable.Repeat(1f, length).ToArray();
        dy[0] = 0f;
        y.Backward(Tensor.FromArray(dy, [1, length]));
        Near("gradient", x.Grad!.ToArray()[0], -(1 / sum) * (1 - 1 / sum));
    }

    [Test]
    public void Layer_norm_of_a_long_row()
    {
        var values = Values(Long);
        double mean = values.Average(value => (double)value), deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)) + 1e-5);
        using var x = Tensor.FromArray(values, [1, Long]);
        x.RequiresGrad = true;
        var y = x.LayerNorm(null, null);
        var got = y.ToArray();
        for (var i = 0; i < 1000; i++) Assert.That(got[i], Is.EqualTo((values[i] - mean) / deviation).Within(1e-6));

        // dx = (dy - mean(dy) - xhat mean(dy xhat)) / sigma with dy = 1 + x.
        y.Backward(x.Detach() + 1f);
        var product = values.Average(value => (1.0 + value) * ((value - mean) / deviation));
        Assert.That(x.Grad!.ToArray()[7], Is.EqualTo((values[7] - mean - (values[7] - mean) / deviation * product) / deviation).Within(1e-6));
    }

    [Test]
    public void Variance_of_small_deviations_from_a_large_mean()
    {
        var values = Tensor.Normal([100_000], 1e4f, 0.01f, new Generator(6)).ToArray();
        double mean = values.Average(value => (double)value);
        using var x = Tensor.FromArray(values, [values.Length]);
        x.RequiresGrad = true;
        var variance = x.Variance();
        Near("variance", variance.Item(), values.Average(value => (value - mean) * (value - mean)));
        variance.Backward();
        Assert.That(x.Grad!.ToArray()[3], Is.EqualTo(2 * (values[3] - mean) / values.Length).Within(1e-9));
    }

    // The error is relative to the sum of the sizes of all terms, as for any sum of terms of both signs.
    [TestCase(3)]
    [TestCase(16)]
    [TestCase(64)]
    public void Matrix_product_of_a_hundred_thousand_terms(int columns)
    {
        const int terms = 100_000, rows = 2;
        float[] a = Values(rows * terms), b = Values(terms * columns);
        var y = Tensor.FromArray(a, [rows, terms]).MatMul(Tensor.FromArray(b, [terms, columns])).ToArray();
        for (var i = 0; i < y.Length; i++)
            Near($"element {i}", y[i], Enumerable.Range(0, terms).Sum(k => (double)a[i / columns * terms + k] * b[k * columns + i % columns]));
    }

    [TestCase(3, 16)]
    [TestCase(1, 8)]
    [TestCase(5, 3)]
    public void Convolution_of_thousands_of_inputs(int window, int outputs)
    {
        const int inputs = 4096, extent = 6;
        float[] x = Values(extent * extent * inputs), f = Values(window * window * inputs * outputs);
        var y = Tensor.FromArray(x, [1, extent, extent, inputs]).Conv2d(Tensor.FromArray(f, [window, window, inputs, outputs])).ToArray();
        var columns = extent - window + 1;
        foreach (var i in (int[])[0, y.Length / 2, y.Length - 1])
        {
            int pixel = i / outputs, right = 0;
            var sum = 0.0;
            for (var kh = 0; kh < window; kh++)
                for (var kw = 0; kw < window; kw++)
                    for (var ci = 0; ci < inputs; ci++, right++)
                        sum += (double)x[((pixel / columns + kh) * extent + pixel % columns + kw) * inputs + ci] * f[right * outputs + i % outputs];
            Near($"element {i}", y[i], sum);
        }
    }

    // A sum over the pixels of many images.
    [Test]
    public void Filter_gradient_of_many_pixels()
    {
        const int images = 64, extent = 32;
        float[] values = Values(images * extent * extent * 3), upstream = Values(images * extent * extent * 8);
        Tensor x = Tensor.FromArray(values, [images, extent, extent, 3]), filter = Tensor.Zeros([1, 1, 3, 8]);
        filter.RequiresGrad = true;
        x.Conv2d(filter).Backward(Tensor.FromArray(upstream, [images, extent, extent, 8]));
        var got = filter.Grad!.ToArray();
        for (var i = 0; i < got.Length; i++)
            Near($"element {i}", got[i], Enumerable.Range(0, images * extent * extent).Sum(pixel => (double)values[3 * pixel + i / 8] * upstream[8 * pixel + i % 8]));
    }
}
