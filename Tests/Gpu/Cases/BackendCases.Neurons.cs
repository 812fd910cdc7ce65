using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Quadratic neurons.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Neurons =>
    [
        new(nameof(Backend.Quadratic), "", s =>
        {
            var (layout, shape) = Layout(s);
            Tensor z = s.Values(shape), y = s.Output(shape);
            var term = new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Chance());
            s.Backend.Quadratic(z, term, y);
            s.Backend.Quadratic(z, term, z);
            s.Result("y", y);
            s.Result("in place", z);
        }),
        new(nameof(Backend.QuadraticBackward), "", s =>
        {
            var (layout, shape) = Layout(s);
            Tensor dy = s.Values(shape), y = s.Values(shape), dz = s.Chance() ? dy : s.Output(shape);
            var gradient = Gradient(s, layout);
            s.Backend.QuadraticBackward(dy, y, gradient, dz);
            s.Result("dz", dz);
            s.Result("dLambda", gradient.DLambda);
        }),
    ];

    static QuadraticGradient<Tensor> Gradient(Sample s, NeuronLayout layout) =>
        new(new(s.Values([layout.Coefficients]), layout, s.Chance()), s.Chance(4), s.Chance(4) ? null : s.Output([layout.Coefficients]));

    static (NeuronLayout, Shape) Layout(Sample s)
    {
        var layout = new NeuronLayout(s.Extent(130), s.Pick(0, 16));
        return (layout, [s.Extent(2000), layout.Channels]);
    }
}
