using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Normalization.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Norms =>
    [
        new(nameof(Backend.GatherStatistics), "", s =>
        {
            Shape shape = [s.Extent(9000) + 1, s.Extent(70)];
            var statistics = Statistics(s, shape[1]);
            s.Backend.GatherStatistics(s.Values(shape, 9f, 11f), statistics);
            Results(s, statistics);
        }),
        new(nameof(Backend.BatchNorm), "", s =>
        {
            Shape shape = [s.Extent(2000), s.Extent(70)], channels = [shape[1]];
            Tensor x = s.Values(shape), y = s.Output(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f);
            s.Backend.BatchNorm(x, new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), s.Chance() ? Activation.Relu : Activation.None), s.Maybe(shape), y);
            s.Result("y", y);
        }),
        new(nameof(Backend.BatchNormBackward), "", s =>
        {
            Shape shape = [s.Extent(2000), s.Extent(70)], channels = [shape[1]];
            Tensor dy = s.Values(shape), x = s.Values(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f);
            Tensor? dx = Wanted(shape), dGamma = Wanted(channels), dBeta = Wanted(channels), dResidual = Wanted(shape);
            s.Backend.BatchNormBackward(dy, x, s.Maybe(shape), new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), s.Chance() ? Activation.Relu : Activation.None), s.Chance(), null, dx, dGamma, dBeta, dResidual);
            s.Result("dx", dx);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
            s.Result("dResidual", dResidual);

            Tensor? Wanted(Shape of) => s.Chance(4) ? null : s.Output(of);
        }, Tolerance: 3e-4f),
        new(nameof(Backend.BatchNormInputGradient), "", s =>
        {
            var (layout, shape) = Layout(s);
            Shape channels = [shape[1]];
            Tensor g = s.Values(shape), x = s.Values(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f), dGamma = s.Values(channels), dBeta = s.Values(channels);
            var neurons = s.Chance() ? Gradient(s, layout) : null;
            var dx = neurons is null && s.Chance() ? g : s.Output(shape);
            s.Backend.BatchNormInputGradient(g, x, new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), Activation.None), dGamma, dBeta, neurons, dx);
            s.Result("dx", dx);
            s.Result("dLambda", neurons?.DLambda);
        }, Tolerance: 3e-4f),
        new(nameof(Backend.BatchNormBackward), "behind neurons", s =>
        {
            var (layout, shape) = Layout(s);
            Shape channels = [shape[1]];
            Tensor dy = s.Values(shape), x = s.Values(shape), mean = s.Values(channels), variance = s.Values(channels, 0.5f, 2f), dGamma = s.Output(channels), dBeta = s.Output(channels);

            // The output may overwrite dy.
            Tensor dx = s.Chance() ? dy : s.Output(shape);
            var dResidual = s.Chance() ? null : !ReferenceEquals(dx, dy) && s.Chance() ? dy : s.Output(shape);
            var gradient = Gradient(s, layout);
            s.Backend.BatchNormBackward(dy, x, s.Maybe(shape), new(mean, variance, 1e-5f, s.Maybe(channels), s.Maybe(channels), s.Chance() ? Activation.Relu : Activation.None), s.Chance(), gradient, dx, dGamma, dBeta, dResidual);
            s.Result("dz", dx);
            s.Result("dLambda", gradient.DLambda);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
            s.Result("dResidual", dResidual);
        }, Tolerance: 3e-4f),
        new(nameof(Backend.LayerNorm), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(700) + 1], channels = [shape[1]];
            Tensor y = s.Output(shape), mean = s.Output([shape[0]]), rstd = s.Output([shape[0]]);
            s.Backend.LayerNorm(s.Values(shape), 1e-3f, s.Maybe(channels), s.Maybe(channels), y, mean, rstd);
            s.Result("y", y);
            s.Result("mean", mean);
            s.Result("rstd", rstd);
        }),
        new(nameof(Backend.LayerNormBackward), "", s =>
        {
            Shape shape = [s.Extent(300), s.Extent(300)], channels = [shape[1]], rows = [shape[0]];
            Tensor dx = s.Output(shape), dGamma = s.Output(channels), dBeta = s.Output(channels);
            s.Backend.LayerNormBackward(s.Values(shape), s.Values(shape), s.Values(rows), s.Values(rows, 0.5f, 2f), s.Maybe(channels), dx, dGamma, dBeta);
            s.Result("dx", dx);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
        }),
    ];
}
