using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>Folds that are cut into chunks, whose last group folds the partial results.</summary>
public class FoldTests
{
    [TestCase(1, 100_000, 1)]
    [TestCase(3, 20_000, 1)]
    [TestCase(1, 9_000, 33)]
    [TestCase(2, 1_000, 300)]
    public void Large_folds_are_right_and_give_the_same_bits_each_time(int outer, int n, int inner)
    {
        var device = TestDevices.OpenCl;
        using var x = Tensor.Uniform([outer, n, inner], 0f, 1f, new Generator(3));
        using Tensor onDevice = x.To(device), expected = x.Sum([1]);
        var first = Sum();
        Assert.That(first, Is.EqualTo(expected.ToArray()).Within(1e-4).Percent);

        // Folds of other shapes between them use the same counters.
        for (var i = 0; i < 5; i++)
        {
            using var other = onDevice.Sum();
            Assert.That(Sum(), Is.EqualTo(first));
        }

        float[] Sum()
        {
            using var sum = onDevice.Sum([1]);
            return sum.ToArray();
        }
    }
}
