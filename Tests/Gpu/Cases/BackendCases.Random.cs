using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Random numbers.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Random =>
    [
        new(nameof(Backend.Uniform), "", s =>
        {
            var y = s.Output([s.Extent(3000)]);
            s.Backend.Uniform(y, Stream(s), 0f, 1f);
            s.Result("y", y);
        }, Tolerance: 0f),
        new(nameof(Backend.Normal), "", s =>
        {
            var y = s.Output([s.Extent(3000)]);
            s.Backend.Normal(y, Stream(s), 1f, 2f);
            s.Result("y", y);
        }, Tolerance: 1e-5f),
        new(nameof(Backend.Dropout), "", s =>
        {
            Shape shape = [s.Extent(3000)];
            Tensor x = s.Values(shape), y = s.Output(shape);
            s.Backend.Dropout(x, Stream(s), 0.3f, y);
            s.Result("y", y);
        }, Tolerance: 1e-6f),
    ];

    static RandomStream Stream(Sample s) => new((ulong)s.Pick(0, 1 << 20), (ulong)s.Pick(0, 1 << 20) << 30);
}
