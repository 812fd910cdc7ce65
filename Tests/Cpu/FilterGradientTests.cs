using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;
using QuadEngine.Tests.Oracles;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

/// <summary>The gradient of large filters, whose chunks are panels and shares of the images, by direct sums.</summary>
public class FilterGradientTests
{
    // One share of few pixels; several shares; a window with a step; a panel that fills no tile; two wide groups.
    [TestCase(2, 7, 256, 520, 1, 1, 1)]
    [TestCase(4, 28, 160, 256, 1, 1, 1)]
    [TestCase(3, 14, 64, 96, 3, 2, 1)]
    [TestCase(2, 9, 48, 77, 3, 1, 1)]
    [TestCase(2, 9, 96, 160, 3, 1, 2)]
    public void Every_panel_has_the_sums_of_all_pixels(int batch, int side, int inputs, int outputs, int kernel, int stride, int groups)
    {
        var g = new ConvGeometry(batch, side, side, inputs, outputs, new Window(kernel, kernel, stride, kernel / 2), groups);
        Assert.That(WinogradTransforms.Suits(g), Is.False);
        Shape image = [batch, side, side, inputs], result = [batch, g.OutHeight, g.OutWidth, outputs], filter = [kernel, kernel, inputs / groups, outputs];
        float[] x = Values(image.Elements, 1), dy = Values(result.Elements, 2);
        using Tensor input = Unaligned(x, image), gradient = Unaligned(dy, result), dFilter = Result(filter);
        CpuBackend.Conv2dFilterGradient(input, gradient, g, dFilter);
        var expected = Projections.Conv2dFilterGradient(x, dy, g);
        var got = dFilter.ToArray();
        for (var i = 0; i < got.Length; i++) Assert.That(got[i], Is.EqualTo(expected[i].Value).Within(expected[i].Error), $"element {i}");
    }
}
