using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Tests.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>
/// Runs every tile on every product at every precision, even if no plan would choose it, at the shapes of ResNet's stages and at odd shapes. Channels
/// and columns are divisible by four, which tensor cores require.
/// </summary>
static class TilesPart
{
    // The least error of factors with 10 bits of fraction or fewer. Products in float32 alone have a smaller error.
    const double LeastRounding = 2e-5;

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
        from precision in Enum.GetValues<Precision>()
        from tile in ProductPlan.TilesOf(precision)
        from product in CheckPart.Products
        where product.Contains(bench.Methods, StringComparison.OrdinalIgnoreCase)
        select new WorkItem("tiles", $"{product}, {precision}, {tile}", () => Check(bench.At(precision), tile, product, bench.IsCard ? 32 : 2));

    static IEnumerable<(string Name, double? Value, string? Text)> Check(GpuDevice device, TileChoice tile, string product, int images)
    {
        device.OnlyTile = tile;
        try
        {
            var found = CheckPart.Largest(Cases(product, images), device, seeds: 1, aligned: true);
            if (device.Precision != Precision.Float32 && found[0].Value < LeastRounding)
                throw new InvalidOperationException($"the error of {found[0].Value:G2} is that of float32: nothing was rounded to {device.Precision}, so no tensor core took part");
            return found;
        }
        finally
        {
            device.OnlyTile = null;
        }
    }

    static IEnumerable<BackendCase> Cases(string product, int images)
    {
        if (product == nameof(Backend.MatMul))
        {
            foreach (var (m, n, k) in ((int, int, int)[])[(268, 140, 52), (64 * images, 64, 576), (20, 12, 1000)])
                foreach (var (transposeA, transposeB) in ((bool, bool)[])[(false, false), (true, false), (false, true), (true, true)])
                    yield return new(product, "", s =>
                    {
                        Tensor a = s.Values([m * k]), b = s.Values([k * n]), y = s.Output([m, n]);
                        s.Backend.MatMul(a, b, new MatMulGeometry(1, m, n, k, transposeA, transposeB, 0, 0), default, y);
                        s.Result("y", y);
                    });
            yield break;
        }

        foreach (var g in Convolutions(images))
            yield return new(product, "", s =>
            {
                Tensor x = s.Values([g.Batch, g.Height, g.Width, g.InChannels]), filter = s.Values([g.Window.Height, g.Window.Width, g.InChannels, g.OutChannels]), y = s.Values([g.Batch, g.OutHeight, g.OutWidth, g.OutChannels]);
                switch (product)
                {
                    case nameof(Backend.Conv2d):
                        Tensor mean = s.Output([g.OutChannels]), variance = s.Output([g.OutChannels]);
                        s.Backend.Conv2d(x, filter, g, new Epilogue<Tensor> { Statistics = new ChannelStatistics<Tensor>(mean, variance) }, y);
                        s.Result("y", y);
                        s.Result("mean", mean);
                        s.Result("variance", variance);
                        break;
                    case nameof(Backend.Conv2dInputGradient):
                        s.Backend.Conv2dInputGradient(y, filter, g, x);
                        s.Result("dx", x);
                        break;
                    default:
                        s.Backend.Conv2dFilterGradient(x, y, g, filter);
                        s.Result("dFilter", filter);
                        break;
                }
            }, Tolerance: 1e-3f); // Filter gradients add up tens of thousands of products; some sums are as large as 10,000.
    }

    // ResNet's stages, the strided convolution between two of them, and a convolution of odd extents.
    static IEnumerable<ConvGeometry> Convolutions(int images) =>
    [
        .. from stage in ((int Channels, int Side)[])[(16, 32), (32, 16), (64, 8)]
           select new ConvGeometry(images, stage.Side, stage.Side, stage.Channels, stage.Channels, new Window(3, 3, 1, 1)),
        new ConvGeometry(images, 32, 32, 16, 32, new Window(3, 3, 2, 1)),
        new ConvGeometry(3, 9, 11, 12, 20, new Window(3, 3, 1, 1)),
    ];
}
