using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Pooling.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Pools =>
    [
        new(nameof(Backend.MaxPool), "", s =>
        {
            var g = Pool(s);
            using var x = Tensor.FromArray([.. s.Values(InputOf(g)).ToArray().Select(value => MathF.Round(4 * value))], InputOf(g), s.Device);
            var y = s.Output(OutputOf(g));
            using var indices = IntTensor.Empty(y.Shape, s.Device);
            s.Backend.MaxPool(x, g, y, indices);
            s.Result("y", y);
            s.Result("indices", indices);
        }, Tolerance: 0f),
        new(nameof(Backend.MaxPoolBackward), "", s =>
        {
            var g = Pool(s);
            Tensor y = s.Output(OutputOf(g)), dx = s.Output(InputOf(g));
            using var indices = IntTensor.Empty(y.Shape, s.Device);
            s.Backend.MaxPool(s.Values(InputOf(g)), g, y, indices);
            s.Backend.MaxPoolBackward(s.Values(OutputOf(g)), indices, g, dx);
            s.Result("dx", dx);
        }),
        new(nameof(Backend.AveragePool), "", s =>
        {
            var g = Pool(s);
            var y = s.Output(OutputOf(g));
            s.Backend.AveragePool(s.Values(InputOf(g)), g, y);
            s.Result("y", y);
        }),
        new(nameof(Backend.AveragePoolBackward), "", s =>
        {
            var g = Pool(s);
            var dx = s.Output(InputOf(g));
            s.Backend.AveragePoolBackward(s.Values(OutputOf(g)), g, dx);
            s.Result("dx", dx);
        }),
    ];

    static PoolGeometry Pool(Sample s)
    {
        int size = s.Pick(1, 4), dilation = s.Chance(4) ? 2 : 1, span = dilation * (size - 1) + 1;
        return new PoolGeometry(s.Pick(1, 3), span + s.Pick(0, 9), span + s.Pick(0, 9), s.Extent(40), new Window(size, size, s.Pick(1, 3), s.Pick(0, size / 2), dilation));
    }

    static Shape InputOf(PoolGeometry g) => [g.Batch, g.Height, g.Width, g.Channels];

    static Shape OutputOf(PoolGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.Channels];
}
