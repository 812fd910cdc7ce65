using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Quadratic neurons of any rank over any number of channels.</summary>
static class NeuronGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.Quadratic), s =>
        {
            var (layout, shape) = Layout(s);
            Tensor y = s.InPlace(shape), z = s.Chance() ? y : s.Values(shape);
            var term = new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Noted(s.Chance()));
            s.Backend.Quadratic(z, term, y);
            s.Expect("y", y, () => QuadraticNeurons.Forward(Approximate.Exact(s.Initial(z)), s.Initial(term.Lambda), layout, term.Normalized));
        }),
        new(nameof(Backend.QuadraticBackward), s =>
        {
            var (layout, shape) = Layout(s);
            var detached = s.Noted(s.Chance());
            Tensor dy = s.Values(shape), y = s.Values(shape);
            Tensor? dz = s.Chance(4) ? null : s.Output(shape), dLambda = s.Chance(4) ? null : s.Output([layout.Coefficients]);
            if (s.Chance(4)) dz = dy = s.InPlace(shape);
            var term = new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Chance());
            s.Backend.QuadraticBackward(dy, y, new(term, detached, dLambda), dz);
            var expected = new Lazy<(Approximate[] Dz, Approximate[] DLambda)>(() => QuadraticNeurons.Backward(Approximate.Exact(s.Initial(dy)), s.Initial(y), s.Initial(term.Lambda), layout, term.Normalized, detached));
            s.Expect("dz", dz, () => expected.Value.Dz);
            s.Expect("dLambda", dLambda, () => expected.Value.DLambda);
        }),
    ];

    static (NeuronLayout, Shape) Layout(Draw s)
    {
        var (rows, channels) = s.Matrix(someChannels: true);
        return (s.Noted(new NeuronLayout(channels, s.Extent(33))), [rows, channels]);
    }
}
