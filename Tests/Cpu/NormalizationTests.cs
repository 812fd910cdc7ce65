using CsCheck;
using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class NormalizationTests
{
    const float Epsilon = 1e-5f;

    static readonly Gen<(bool Affine, bool Residual, bool Relu, bool BatchStatistics)> Options = Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool, Gen.Bool);

    static double[] Doubles(float[] values) => Array.ConvertAll(values, value => (double)value);

    static double[] ByChannel(double[] values, int channels)
    {
        var sums = new double[channels];
        for (var i = 0; i < values.Length; i++) sums[i % channels] += values[i];
        return sums;
    }

    [Test]
    public void Statistics_are_accurate_far_from_zero() => Gen.Select(Matrices, Seeds, Gen.OneOf(0f, 3f, -1000f)).ForAll((matrix, seed, offset) =>
    {
        var (rows, channels) = matrix;
        var values = Values(rows * channels, seed, mean: offset);
        var (mean, variance) = Normalization.Moments(values, channels, i => i % channels);
        using var x = Unaligned(values, [rows, channels]);
        using Tensor gotMean = Result([channels]), runningMean = Tensor.Full([channels], 0.5f), runningVariance = Tensor.Full([channels], 2f);
        var gotVariance = SameOnAnyThreads(() =>
        {
            var y = Result([channels]);
            CpuBackend.GatherStatistics(x, new(gotMean, y));
            return y;
        });
        AssertClose(gotMean.ToArray(), mean, tolerance: 2e-6);
        AssertClose(gotVariance, variance, tolerance: 1e-5, scale: 1e-2);

        using var again = Result([channels]);
        CpuBackend.GatherStatistics(x, new(gotMean, again, runningMean, runningVariance, 0.1f));
        var unbiased = rows / Math.Max(1.0, rows - 1);
        AssertClose(runningMean.ToArray(), [.. mean.Select(value => 0.9 * 0.5 + 0.1 * value)], tolerance: 2e-6);
        AssertClose(runningVariance.ToArray(), [.. variance.Select(value => 0.9 * 2 + 0.1 * value * unbiased)], tolerance: 2e-6);
    });

    [Test]
    public void BatchNorm_forward_and_backward_equal_their_equations() => Gen.Select(Matrices, Seeds, Options).ForAll((matrix, seed, options) =>
    {
        var (rows, channels) = matrix;
        Shape shape = [rows, channels], vector = [channels];
        float[] values = Values(rows * channels, seed, 0.5f, 2f), scale = Values(channels, seed + 1, 1f), shift = Values(channels, seed + 2), rest = Values(rows * channels, seed + 3), upstream = Values(rows * channels, seed + 4);
        int Group(int i) => i % channels;
        var (exactMean, exactVariance) = options.BatchStatistics ? Normalization.Moments(values, channels, Group)
            : (Doubles(Values(channels, seed + 5)), Array.ConvertAll(Values(channels, seed + 6), value => 1.0 + value * value));
        using Tensor x = Unaligned(values, shape), mean = Unaligned(Array.ConvertAll(exactMean, m => (float)m), vector),
            variance = Unaligned(Array.ConvertAll(exactVariance, v => (float)v), vector), residual = Unaligned(rest, shape), dy = Unaligned(upstream, shape),
            gamma = Unaligned(scale, vector), beta = Unaligned(shift, vector);
        var normalised = Normalization.Normalise(values, exactMean, exactVariance, Epsilon, Group);

        // Rounding of x - mean grows by what the division by sigma adds.
        var condition = 1 + 5 / Math.Sqrt(exactVariance.Min() + Epsilon);

        var linear = normalised.Select((value, i) => (options.Affine ? value * scale[Group(i)] + shift[Group(i)] : value) + (options.Residual ? rest[i] : 0)).ToArray();
        var y = SameOnAnyThreads(() =>
        {
            var y = Result(shape);
            CpuBackend.BatchNorm(x, mean, variance, Epsilon, options.Affine ? gamma : null, options.Affine ? beta : null, options.Residual ? residual : null, options.Relu ? Activation.Relu : Activation.None, y);
            return y;
        });
        AssertClose(y, options.Relu ? [.. linear.Select(value => Math.Max(0, value))] : linear, tolerance: 2e-6, scale: condition);

        // The mask is that of the output as given, so that rounding at the kink does not matter.
        var g = upstream.Select((value, i) => !options.Relu || y[i] > 0 ? (double)value : 0).ToArray();
        var scaled = g.Select((value, i) => options.Affine ? value * scale[Group(i)] : value).ToArray();
        var dx = options.BatchStatistics ? Normalization.Gradient(scaled, normalised, exactVariance, Epsilon, Group)
            : [.. scaled.Select((value, i) => value / Math.Sqrt(exactVariance[Group(i)] + Epsilon))];
        var largestGradient = 1 + dx.Max(Math.Abs);
        using Tensor output = Unaligned(y, shape), dGamma = Result(vector), dBeta = Result(vector), dResidual = Result(shape);
        var gotDx = SameOnAnyThreads(() =>
        {
            var result = Unaligned(upstream, shape);
            CpuBackend.BatchNormBackward(result, x, options.Relu ? output : null, mean, variance, Epsilon, options.Affine ? gamma : null, options.BatchStatistics, result, dGamma, dBeta, dResidual);
            return result;
        });
        AssertClose(gotDx, dx, tolerance: 5e-6, scale: largestGradient * condition);
        AssertClose(dResidual.ToArray(), g, tolerance: 0);
        AssertClose(dBeta.ToArray(), ByChannel(g, channels), tolerance: 1e-6, scale: 1 + rows / 4.0);
        AssertClose(dGamma.ToArray(), ByChannel([.. g.Zip(normalised, (a, b) => a * b)], channels), tolerance: 2e-6, scale: (1 + rows / 4.0) * condition);

        using var alone = Result(shape);
        CpuBackend.BatchNormBackward(dy, x, options.Relu ? output : null, mean, variance, Epsilon, options.Affine ? gamma : null, options.BatchStatistics, alone, null, null, null);
        Assert.That(alone.ToArray(), Is.EqualTo(gotDx), "without the other results");
    });

    [Test]
    public void BatchNorm_may_overwrite_its_input_and_its_residual() => Gen.Select(Matrices, Seeds).ForAll((matrix, seed) =>
    {
        Shape shape = [matrix.Rows, matrix.Channels];
        using Tensor x = Unaligned(Values(shape.Elements, seed), shape), residual = Unaligned(Values(shape.Elements, seed + 1), shape),
            mean = Tensor.Full([matrix.Channels], 0.25f), variance = Tensor.Full([matrix.Channels], 2f), y = Result(shape), copy = Unaligned(x.ToArray(), shape);
        CpuBackend.BatchNorm(x, mean, variance, Epsilon, null, null, residual, Activation.Relu, y);
        CpuBackend.BatchNorm(copy, mean, variance, Epsilon, null, null, residual, Activation.Relu, copy);
        CpuBackend.BatchNorm(x, mean, variance, Epsilon, null, null, residual, Activation.Relu, residual);
        Assert.That(copy.ToArray(), Is.EqualTo(y.ToArray()));
        Assert.That(residual.ToArray(), Is.EqualTo(y.ToArray()));
    }, iterations: 20);

    [Test]
    public void NaN_passes_through_the_rectifier()
    {
        using Tensor x = Unaligned([float.NaN, -1f, 2f], [3, 1]), mean = Tensor.Zeros([1]), variance = Tensor.Ones([1]), y = Result([3, 1]);
        CpuBackend.BatchNorm(x, mean, variance, 0f, null, null, null, Activation.Relu, y);
        Assert.That(y.ToArray(), Is.EqualTo((float[])[float.NaN, 0f, 2f]));
    }

    [Test]
    public void LayerNorm_forward_and_backward_equal_their_equations() => Gen.Select(Matrices, Seeds, Gen.Bool).ForAll((matrix, seed, affine) =>
    {
        var (rows, channels) = matrix;
        Shape shape = [rows, channels];
        float[] values = Values(rows * channels, seed, 5f), scale = Values(channels, seed + 1, 1f), shift = Values(channels, seed + 2), upstream = Values(rows * channels, seed + 3);
        int Group(int i) => i / channels;
        var (exactMean, exactVariance) = Normalization.Moments(values, rows, Group);
        var normalised = Normalization.Normalise(values, exactMean, exactVariance, Epsilon, Group);
        using Tensor x = Unaligned(values, shape), gamma = Unaligned(scale, [channels]), beta = Unaligned(shift, [channels]), mean = Result([rows]), rstd = Result([rows]);
        var y = SameOnAnyThreads(() => { var y = Result(shape); CpuBackend.LayerNorm(x, Epsilon, affine ? gamma : null, affine ? beta : null, y, mean, rstd); return y; });

        // A row of one channel has no deviation: what remains is rounding over epsilon.
        var sigma = 1 / Math.Sqrt(exactVariance.Min() + Epsilon);
        AssertClose(y, [.. normalised.Select((value, i) => affine ? value * scale[i % channels] + shift[i % channels] : value)], tolerance: 4e-6, scale: 5 * (1 + sigma));
        AssertClose(mean.ToArray(), exactMean, tolerance: 1e-6);

        using Tensor dy = Unaligned(upstream, shape), dGamma = Result([channels]), dBeta = Result([channels]);
        var dx = SameOnAnyThreads(() => { var dx = Result(shape); CpuBackend.LayerNormBackward(dy, x, mean, rstd, affine ? gamma : null, dx, dGamma, dBeta); return dx; });
        var g = upstream.Select((value, i) => (double)value * (affine ? scale[i % channels] : 1)).ToArray();
        AssertClose(dx, Normalization.Gradient(g, normalised, exactVariance, Epsilon, Group), tolerance: 1e-5, scale: 5 * sigma * (1 + sigma));
        AssertClose(dBeta.ToArray(), ByChannel(Doubles(upstream), channels), tolerance: 2e-6, scale: 1 + rows / 4.0);
        AssertClose(dGamma.ToArray(), ByChannel([.. normalised.Zip(upstream, (a, b) => a * b)], channels), tolerance: 4e-6, scale: (1 + rows / 4.0) * (1 + sigma));
    });
}
