using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Softmax and losses.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Losses =>
    [
        new(nameof(Backend.Softmax), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(1100)];
            Tensor x = s.Values(shape, -9f, 9f), y = s.Output(shape);
            s.Backend.Softmax(x, s.Chance(), y);
            s.Result("y", y);
        }),
        new(nameof(Backend.SoftmaxBackward), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(1100)];
            Tensor dy = s.Values(shape), y = s.Values(shape);
            s.Backend.SoftmaxBackward(dy, y, s.Chance(), dy);
            s.Result("dx", dy);
        }),
        new(nameof(Backend.CrossEntropy), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(300)];
            Tensor probabilities = s.Output(shape), losses = s.Output([shape[0]]);
            s.Backend.CrossEntropy(s.Values(shape, -9f, 9f), s.Labels(shape[0], shape[1]), s.Chance() ? 0f : 0.1f, probabilities, losses);
            s.Result("probabilities", probabilities);
            s.Result("losses", losses);
        }),
        new(nameof(Backend.CrossEntropyBackward), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(300)];
            var probabilities = s.Values(shape, 0f);
            s.Backend.CrossEntropyBackward(s.Values([shape[0]]), probabilities, s.Labels(shape[0], shape[1]), s.Chance() ? 0f : 0.1f, probabilities);
            s.Result("dLogits", probabilities);
        }),
    ];
}
