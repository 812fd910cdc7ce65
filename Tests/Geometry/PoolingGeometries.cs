using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Pooling, including windows that contain only padding: their maximum is -infinity at index -1.</summary>
static class PoolingGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.MaxPool), s =>
        {
            var g = Pool(s);
            var x = s.Values(FewValues(s, g), InputOf(g));
            var y = s.Output(OutputOf(g));
            var indices = s.IntegerOutput(OutputOf(g));
            s.Backend.MaxPool(x, g, y, indices);
            s.ExpectExactly("y", y, () => [.. Chosen(g, s.Initial(x)).Select(tap => tap is { } at ? s.Initial(x)[at.Index] : float.NegativeInfinity)]);
            s.Expect("indices", indices, () => [.. Chosen(g, s.Initial(x)).Select(tap => tap?.Pixel ?? -1)]);
        }),
        new(nameof(Backend.MaxPoolBackward), s =>
        {
            var g = Pool(s);
            var chosen = Chosen(g, FewValues(s, g)).ToArray();
            Tensor dy = s.Values(OutputOf(g)), dx = s.Output(InputOf(g));
            s.Backend.MaxPoolBackward(dy, s.Integers([.. chosen.Select(tap => tap?.Pixel ?? -1)], OutputOf(g)), g, dx);
            s.Expect("dx", dx, () => Gathered(g, chosen.SelectMany((tap, at) => tap is { } place ? [(place.Index, (Approximate)s.Initial(dy)[at])] : Enumerable.Empty<(int, Approximate)>())));
        }),
        new(nameof(Backend.AveragePool), s =>
        {
            var g = Pool(s);
            Tensor x = s.Values(InputOf(g)), y = s.Output(OutputOf(g));
            s.Backend.AveragePool(x, g, y);
            s.Expect("y", y, () => [.. PoolingWindows.Of(g).Select(window => Approximate.Sum(window.Select(tap => (Approximate)s.Initial(x)[tap.Index])) / Size(g))]);
        }),
        new(nameof(Backend.AveragePoolBackward), s =>
        {
            var g = Pool(s);
            Tensor dy = s.Values(OutputOf(g)), dx = s.Output(InputOf(g));
            s.Backend.AveragePoolBackward(dy, g, dx);
            s.Expect("dx", dx, () => Gathered(g, PoolingWindows.Of(g).SelectMany((window, at) => window.Select(tap => (tap.Index, s.Initial(dy)[at] / (Approximate)Size(g))))));
        }),
    ];

    // Few different numbers, so that equal ones are common, and a few NaN.
    static float[] FewValues(Draw s, PoolGeometry g) => [.. s.Array(InputOf(g).Elements).Select(value => value > 0.98f ? float.NaN : MathF.Round(4 * value))];

    // The first NaN, or the first of the largest numbers.
    static IEnumerable<(int Index, int Pixel)?> Chosen(PoolGeometry g, float[] x) => PoolingWindows.Of(g).Select(window =>
    {
        (int Index, int Pixel)? best = null;
        foreach (var tap in window)
            if (best is not { } so || x[tap.Index] > x[so.Index] || float.IsNaN(x[tap.Index]) && !float.IsNaN(x[so.Index])) best = tap;
        return best;
    });

    static Approximate[] Gathered(PoolGeometry g, IEnumerable<(int Index, Approximate Value)> parts)
    {
        var byPlace = parts.ToLookup(part => part.Index, part => part.Value);
        return [.. Enumerable.Range(0, InputOf(g).Elements).Select(i => Approximate.Sum(byPlace[i]))];
    }

    static double Size(PoolGeometry g) => g.Window.Height * g.Window.Width;

    static PoolGeometry Pool(Draw s)
    {
        while (true)
        {
            var window = new Window(s.Positive(5), s.Positive(5), s.Positive(7), s.Chance() ? 0 : s.Extent(5), s.Chance(3) ? s.Positive(4) : 1);
            var g = new PoolGeometry(s.Extent(4), s.Extent(40), s.Extent(40), s.Extent(200), window);
            if (g.Height + 2 * window.Padding < window.Dilation * (window.Height - 1) + 1 || g.Width + 2 * window.Padding < window.Dilation * (window.Width - 1) + 1) continue;
            if ((long)g.Batch * g.Height * g.Width * g.Channels > s.MostElements || (long)g.Batch * g.OutHeight * g.OutWidth * g.Channels * window.Height * window.Width > 4L * s.MostElements) continue;
            return s.Noted(g);
        }
    }

    static Shape InputOf(PoolGeometry g) => [g.Batch, g.Height, g.Width, g.Channels];

    static Shape OutputOf(PoolGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.Channels];
}
