using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Element i takes word i mod 4 of block i / 4 of its stream, whatever the length.</summary>
static class RandomNumberGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Uniform), s =>
        {
            var y = s.Output([s.Noted(s.Extent(s.MostElements))]);
            var stream = s.Noted(Stream(s));
            s.Backend.Uniform(y, stream, -2f, 0.5f);
            s.ExpectScalar("y", y, () => Enumerable.Range(0, y.Length).Select(i => -2f + (0.5f - -2f) * Unit(stream, i)));
        }),
        new(nameof(Backend.Normal), s =>
        {
            var y = s.Output([s.Noted(s.Extent(s.MostElements))]);
            var stream = s.Noted(Stream(s));
            s.Backend.Normal(y, stream, 1f, 3f);

            // The angle, up to 2 pi, is rounded before its sine is taken.
            s.Expect("y", y, () => [.. Enumerable.Range(0, y.Length).Select(i =>
            {
                var radius = (-2 * (1 - (Approximate)Unit(stream, i & ~1)).Log()).Sqrt();
                var angle = 2 * Math.PI * Unit(stream, i | 1);
                return 1 + 3 * (radius * new Approximate(i % 2 == 0 ? Math.Cos(angle) : Math.Sin(angle), 32 * Approximate.Roundoff));
            })]);
        }),
        new(nameof(Backend.Dropout), s =>
        {
            Shape shape = [s.Noted(s.Extent(s.MostElements))];
            var p = s.Noted(s.OneOf(0f, 0.1f, 0.5f, 1f));
            var stream = s.Noted(Stream(s));
            Tensor y = s.InPlace(shape), x = s.Chance() ? y : s.Values(shape);
            s.Backend.Dropout(x, stream, p, y);
            s.ExpectScalar("y", y, () => s.Initial(x).Select((value, i) => Unit(stream, i) >= p ? value * (1f / (1f - p)) : 0f));
        }),
    ];

    public static RandomStream Stream(Draw s) => new((ulong)s.Between(0, int.MaxValue - 1) << s.Between(0, 32), (ulong)s.Between(0, int.MaxValue - 1) << s.Between(0, 32));

    static float Unit(RandomStream stream, int i)
    {
        var (x, y, z, w) = Philox.At(stream.Seed, stream.Stream, (ulong)i / 4);
        return Philox.ToUnit((i % 4) switch { 0 => x, 1 => y, 2 => z, _ => w });
    }
}
