using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;
using QuadEngine.Tests.Oracles;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

/// <summary>Winograd's convolutions are less accurate than the plain sum by a few last bits, and no more.</summary>
public class WinogradTests
{
    // Images of 16x16, and smaller ones whose last tiles reach over the border. Filters of 96 and more channels do not fit into the L2 cache; their chunks are panels too.
    [TestCase(2, 16, 16, 16)]
    [TestCase(2, 16, 64, 64)]
    [TestCase(7, 7, 96, 208)]
    [TestCase(25, 4, 208, 176)]
    public void Its_error_is_some_times_that_of_the_plain_sum(int batch, int side, int inputs, int outputs)
    {
        var g = new ConvGeometry(batch, side, side, inputs, outputs, new Window(3, 3, 1, 1));
        Assert.That(WinogradTransforms.Suits(g));
        Shape image = [batch, side, side, inputs], result = [batch, side, side, outputs], filter = [3, 3, inputs, outputs];
        float[] x = Values(image.Elements, 1), f = Values(filter.Elements, 2), dy = Values(result.Elements, 3);
        using Tensor input = Unaligned(x, image), weights = Unaligned(f, filter), gradient = Unaligned(dy, result), y = Result(result), dx = Result(image), dFilter = Result(filter);
        CpuBackend.Conv2d(input, weights, g, default, y);
        CpuBackend.Conv2dInputGradient(gradient, weights, g, dx);
        CpuBackend.Conv2dFilterGradient(input, gradient, g, dFilter);

        AssertAccurate(y, Projections.Conv2d(x, f, g), terms: 9 * inputs);
        AssertAccurate(dx, Projections.Conv2dInputGradient(dy, f, g), terms: 9 * outputs);
        AssertAccurate(dFilter, Projections.Conv2dFilterGradient(x, dy, g), terms: g.Rows);
    }

    // The partial sums of n terms of size 1 have size sqrt(k), k = 1 .. n. Their roundings, at most 0.4 units each on average, add up like random steps:
    // to 0.3 n units for the plain sum. The error of Winograd's algorithm is 2.3 and 3.2 times that.
    static void AssertAccurate(Tensor got, Approximate[] expected, int terms)
    {
        var error = Math.Sqrt(got.ToArray().Zip(expected, (value, exact) => (value - exact.Value) * (value - exact.Value)).Average());
        var plain = 0.3 * terms * Approximate.Roundoff;
        TestContext.Out.WriteLine($"{terms} terms: {error / plain:F2} times the error of the plain sum");
        Assert.That(error, Is.LessThan(4 * plain));
    }
}
