using CsCheck;
using QuadEngine.Devices;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class NormalizationTests
{
    [Test]
    public void Statistics_are_accurate_far_from_zero() => Gen.Select(Matrices, Seeds, Gen.OneOf(0f, 3f, -1000f)).ForAll((matrix, seed, offset) =>
    {
        var (rows, channels) = matrix;
        var values = Values(rows * channels, seed, mean: offset);
        double[] mean = [.. Channels().Select(values => values.Average(value => (double)value))], variance = [.. Channels().Select((values, c) => values.Average(value => (value - mean[c]) * (value - mean[c])))];
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

        IEnumerable<IEnumerable<float>> Channels() => Enumerable.Range(0, channels).Select(c => Enumerable.Range(0, rows).Select(row => values[row * channels + c]));
    });

    [Test]
    public void NaN_passes_through_the_rectifier()
    {
        using Tensor x = Unaligned([float.NaN, -1f, 2f], [3, 1]), mean = Tensor.Zeros([1]), variance = Tensor.Ones([1]), y = Result([3, 1]);
        CpuBackend.BatchNorm(x, new(mean, variance, 0f, null, null, Activation.Relu), null, y);
        Assert.That(y.ToArray(), Is.EqualTo((float[])[float.NaN, 0f, 2f]));
    }
}
