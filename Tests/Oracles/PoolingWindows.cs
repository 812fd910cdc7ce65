using QuadEngine.Devices;

namespace QuadEngine.Tests.Oracles;

/// <summary>Pooling window by window.</summary>
static class PoolingWindows
{
    /// <summary>Returns for every output element (in order) the elements of x in its window without padding, as (index of x, pixel of the plane).</summary>
    public static IEnumerable<List<(int Index, int Pixel)>> Of(PoolGeometry g)
    {
        for (var n = 0; n < g.Batch; n++)
            for (var row = 0; row < g.OutHeight; row++)
                for (var column = 0; column < g.OutWidth; column++)
                    for (var c = 0; c < g.Channels; c++)
                    {
                        var taps = new List<(int, int)>();
                        for (var i = 0; i < g.Window.Height; i++)
                            for (var j = 0; j < g.Window.Width; j++)
                            {
                                int h = row * g.Window.Stride - g.Window.Padding + i * g.Window.Dilation, w = column * g.Window.Stride - g.Window.Padding + j * g.Window.Dilation;
                                if (h < 0 || w < 0 || h >= g.Height || w >= g.Width) continue;
                                var pixel = h * g.Width + w;
                                taps.Add(((n * g.Height * g.Width + pixel) * g.Channels + c, pixel));
                            }

                        yield return taps;
                    }
    }
}
