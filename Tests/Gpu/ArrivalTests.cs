using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>The group that arrives last folds moments of row tiles, slices of sums or chunks of folds. The bits do not depend on which group that is.</summary>
public class ArrivalTests
{
    InterpretedCuda cuda = null!;

    [OneTimeSetUp]
    public void Execute() => cuda = new InterpretedCuda();

    [OneTimeTearDown]
    public void Stop() => cuda?.Dispose();

    // [rows, depth] times [depth, columns], with the final steps of a tile. 34 row tiles of 256 make a tree of two levels; sums of 500 terms are cut into slices.
    [TestCase(8_500, 8, 4, false)]
    [TestCase(1_200, 36, 4, false)]
    [TestCase(70, 20, 500, true)]
    public void Statistics_are_the_same_whoever_comes_last(int rows, int columns, int depth, bool sliced)
    {
        Assert.That(ProductPlan.For(Precision.Float32, (rows, columns, depth), 1, mayAdd: true, mayFold: false, neuron: 4)!.Value.AddsSlices, Is.EqualTo(sliced));
        using Tensor a = Tensor.Normal([rows, depth], generator: new Generator(1)), b = Tensor.Normal([depth, columns], generator: new Generator(2)), lambda = Tensor.Normal([columns / 4 * 3], generator: new Generator(3));
        var expected = Run(Device.Cpu);
        var seed = InterpretedCuda.Seed;
        try
        {
            float[]? first = null;
            for (var order = 1; order <= 3; order++)
            {
                InterpretedCuda.Seed = order;
                var got = Run(cuda.Device());
                Assert.That(got, Is.EqualTo(expected).Within(1e-4f * expected.Max(MathF.Abs)));
                Assert.That(got, Is.EqualTo(first ??= got), "the same bits");
            }
        }
        finally
        {
            InterpretedCuda.Seed = seed;
        }

        float[] Run(Device device)
        {
            using Tensor left = a.To(device), right = b.To(device), coefficients = lambda.To(device);
            using Tensor y = Tensor.Full([rows, columns], float.NaN, device), mean = Tensor.Full([columns], float.NaN, device), variance = Tensor.Full([columns], float.NaN, device);
            var steps = new Epilogue<Tensor> { Quadratic = new(coefficients, new NeuronLayout(columns, 3), true), Statistics = new(mean, variance), Activation = Activation.Relu };
            device.Backend.MatMul(left, right, new MatMulGeometry(1, rows, columns, depth, false, false, 0, 0), steps, y);
            return [.. y.ToArray(), .. mean.ToArray(), .. variance.ToArray()];
        }
    }

    [Test]
    public void Sums_are_the_same_whoever_comes_last()
    {
        using var x = Tensor.Uniform([1, 30_000, 4], 0f, 1f, new Generator(3));
        using var expected = x.Sum([1]);
        var seed = InterpretedCuda.Seed;
        try
        {
            float[]? first = null;
            for (var order = 1; order <= 3; order++)
            {
                InterpretedCuda.Seed = order;
                using Tensor onDevice = x.To(cuda.Device()), sum = onDevice.Sum([1]);
                Assert.That(sum.ToArray(), Is.EqualTo(expected.ToArray()).Within(1e-4).Percent);
                Assert.That(sum.ToArray(), Is.EqualTo(first ??= sum.ToArray()), "the same bits");
            }
        }
        finally
        {
            InterpretedCuda.Seed = seed;
        }
    }

    [Test]
    public void Inner_values_of_a_tree()
    {
        Assert.That(FoldTree.Inner(0), Is.Zero);
        Assert.That(FoldTree.Inner(1), Is.Zero);
        Assert.That(FoldTree.Inner(2), Is.EqualTo(1));
        Assert.That(FoldTree.Inner(32), Is.EqualTo(1));
        Assert.That(FoldTree.Inner(33), Is.EqualTo(3));
        Assert.That(FoldTree.Inner(512), Is.EqualTo(17));
        Assert.That(FoldTree.Inner(1025), Is.EqualTo(33 + 2 + 1));
    }
}
