using QuadEngine.Devices;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Cpu;

/// <summary>The neurons' own kernels against their equations.</summary>
public class QuadraticTests
{
    static readonly Backend Backend = Device.Cpu.Backend;

    [Test]
    public void Neurons_equal_their_equation([Range(0, 39)] int seed)
    {
        var (layout, rows, normalised, z, _, lambda) = Case(seed);
        var term = new QuadraticTerm<Tensor>(Cases.Place(lambda, [lambda.Length]), layout, normalised);
        var y = Cases.Output([rows, layout.Channels]);
        var inPlace = Cases.Place(z, [rows, layout.Channels]);
        Backend.Quadratic(Cases.Place(z, [rows, layout.Channels]), term, y);
        Backend.Quadratic(inPlace, term, inPlace);
        Cases.AssertClose(QuadraticNeurons.Forward(Array.ConvertAll(z, value => (double)value), lambda, layout, normalised), y, $"{layout}");
        Assert.That(inPlace.ToArray(), Is.EqualTo(y.ToArray()));
    }

    [Test]
    public void Gradients_equal_their_equations([Range(0, 39)] int seed, [Values] bool detached)
    {
        var (layout, rows, normalised, y, d, lambda) = Case(seed);
        var term = new QuadraticTerm<Tensor>(Cases.Place(lambda, [lambda.Length]), layout, normalised);
        Tensor output = Cases.Place(y, [rows, layout.Channels]), gradient = Cases.Place(d, [rows, layout.Channels]);
        Tensor dz = Cases.Output([rows, layout.Channels]), dLambda = Cases.Output([lambda.Length]), dzAlone = Cases.Output([rows, layout.Channels]), dLambdaAlone = Cases.Output([lambda.Length]);
        Backend.QuadraticBackward(gradient, output, term, detached, dz, dLambda);
        Backend.QuadraticBackward(gradient, output, term, detached, dzAlone, null);
        Backend.QuadraticBackward(gradient, output, term, detached, null, dLambdaAlone);

        var expected = QuadraticNeurons.Backward(d, y, lambda, layout, normalised, detached);
        Cases.AssertClose(expected.Dz, dz, $"{layout} dz");
        Cases.AssertClose(expected.DLambda, dLambda, $"{layout} dLambda", 1e-4);
        Assert.That(dzAlone.ToArray(), Is.EqualTo(dz.ToArray()));
        Assert.That(dLambdaAlone.ToArray(), Is.EqualTo(dLambda.ToArray()));
        Cases.AssertSameBits(() =>
        {
            Backend.QuadraticBackward(gradient, output, term, detached, dz, dLambda);
            return [dz.ToArray(), dLambda.ToArray()];
        }, $"{layout}");
    }

    static (NeuronLayout Layout, int Rows, bool Normalised, float[] Z, float[] D, float[] Lambda) Case(int seed)
    {
        var layout = new NeuronLayout(Cases.Pick(seed, 1, 1, 130), Cases.Pick(seed, 2, 0, 16));
        var rows = Cases.Pick(seed, 3, 0, 3) == 0 ? 1 : Cases.Pick(seed, 4, 1, 700);
        return (layout, rows, seed % 2 == 0, Cases.Values(seed, 5, rows * layout.Channels), Cases.Values(seed, 6, rows * layout.Channels), Cases.Values(seed, 7, layout.Coefficients));
    }
}
