using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Optimizers.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Updates =>
    [
        new(nameof(Backend.Sgd), "", s =>
        {
            var (w, dw, v, _) = Parameters(s);
            var momentum = s.Chance();
            var leftOut = Tensor.Scalar(s.Pick(0, 2), s.Device);
            s.Backend.Sgd(w, dw, momentum ? v : [], new SgdStep(0.1f, momentum ? 0.9f : 0f, 0.1f, 1e-2f, momentum && s.Chance(), s.Pick(1, 4)), GradientScale(s), leftOut);
            Results(s, w, v, [leftOut]);
        }),
        new(nameof(Backend.AdamW), "", s =>
        {
            var (w, dw, m, v) = Parameters(s);
            var leftOut = Tensor.Scalar(s.Pick(0, 2), s.Device);
            s.Backend.AdamW(w, dw, m, v, new AdamStep(0.01f, 0.9f, 0.999f, 1e-8f, 0.1f, s.Pick(3, 9)), GradientScale(s), leftOut);
            Results(s, w, m, v, [leftOut]);
        }),
    ];

    static Tensor? GradientScale(Sample s) => s.Pick(0, 4) switch { 0 => null, 1 => Tensor.Zeros([], s.Device), 2 => Tensor.Full([], float.NaN, s.Device), _ => s.Values([], 0.1f, 2f) };

    static (Tensor[] W, Tensor[] Dw, Tensor[] M, Tensor[] V) Parameters(Sample s)
    {
        int[] lengths = [.. Enumerable.Range(0, s.Pick(1, 40)).Select(_ => s.Extent(3000))];
        return (Of(-1f), Of(-1f), Of(-1f), Of(0.1f));

        Tensor[] Of(float low) => [.. lengths.Select(length => s.Values([length], low))];
    }

    static void Results(Sample s, params Tensor[][] groups)
    {
        foreach (var tensor in groups.SelectMany(group => group)) s.Result("parameters and state", tensor);
    }
}
