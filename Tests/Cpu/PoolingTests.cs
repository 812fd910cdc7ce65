using CsCheck;
using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class PoolingTests
{
    static readonly Gen<PoolGeometry> Geometries =
        from window in Gen.Select(Gen.Int[1, 4], Gen.Int[1, 4], Gen.Int[1, 3], Gen.Int[0, 3], Gen.Int[1, 2])
        from more in Gen.Select(Gen.Int[0, 9], Gen.Int[0, 9])
        from outer in Gen.Select(Gen.Int[1, 3], Gen.Int[1, 19])
        let w = new Window(window.Item1, window.Item2, window.Item3, window.Item4, window.Item5)
        let height = Math.Max(1, w.Dilation * (w.Height - 1) + 1 - 2 * w.Padding) + more.Item1
        let width = Math.Max(1, w.Dilation * (w.Width - 1) + 1 - 2 * w.Padding) + more.Item2
        select new PoolGeometry(outer.Item1, height, width, outer.Item2, w);

    static Shape Input(PoolGeometry g) => [g.Batch, g.Height, g.Width, g.Channels];

    static Shape Output(PoolGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.Channels];

    [Test]
    public void MaxPool_takes_the_first_of_the_largest_and_returns_its_gradient() => Gen.Select(Geometries, Seeds).ForAll((g, seed) =>
    {
        // Few different values, so that equals are common; a NaN now and then.
        float[] values = [.. Values(Input(g).Elements, seed).Select(value => value > 2f ? float.NaN : MathF.Round(2 * value))], upstream = Values(Output(g).Elements, seed + 1);
        using Tensor x = Unaligned(values, Input(g)), dy = Unaligned(upstream, Output(g));
        using var indices = IntTensor.Empty(Output(g));
        var y = SameOnAnyThreads(() => { var y = Result(Output(g)); CpuBackend.MaxPool(x, g, y, indices); return y; });
        var dx = SameOnAnyThreads(() => { var dx = Result(Input(g)); CpuBackend.MaxPoolBackward(dy, indices, g, dx); return dx; });

        var gradient = new double[values.Length];
        var at = 0;
        var pixels = indices.ToArray();
        foreach (var window in PoolingWindows.Of(g))
        {
            var best = window.FindIndex(tap => float.IsNaN(values[tap.Index]));
            if (best < 0 && window.Count > 0)
            {
                var largest = window.Max(tap => values[tap.Index]);
                best = window.FindIndex(tap => values[tap.Index] == largest);
            }

            Assert.That(y[at], Is.EqualTo(best < 0 ? float.NegativeInfinity : values[window[best].Index]), $"output {at}");
            Assert.That(pixels[at], Is.EqualTo(best < 0 ? -1 : window[best].Pixel), $"index of output {at}");
            if (best >= 0) gradient[window[best].Index] += upstream[at];
            at++;
        }

        AssertClose(dx, gradient, tolerance: 1e-6);
    });

    [Test]
    public void AveragePool_counts_padding_in_and_shares_its_gradient() => Gen.Select(Geometries, Seeds).ForAll((g, seed) =>
    {
        float[] values = Values(Input(g).Elements, seed), upstream = Values(Output(g).Elements, seed + 1);
        using Tensor x = Unaligned(values, Input(g)), dy = Unaligned(upstream, Output(g));
        var y = SameOnAnyThreads(() => { var y = Result(Output(g)); CpuBackend.AveragePool(x, g, y); return y; });
        var dx = SameOnAnyThreads(() => { var dx = Result(Input(g)); CpuBackend.AveragePoolBackward(dy, g, dx); return dx; });

        double size = g.Window.Height * g.Window.Width;
        double[] expected = [.. PoolingWindows.Of(g).Select(window => window.Sum(tap => values[tap.Index] / size))], gradient = new double[values.Length];
        foreach (var (window, at) in PoolingWindows.Of(g).Select((window, at) => (window, at)))
            foreach (var (index, _) in window) gradient[index] += upstream[at] / size;
        AssertClose(y, expected, tolerance: 1e-6);
        AssertClose(dx, gradient, tolerance: 1e-6);
    });
}
