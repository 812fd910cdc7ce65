using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Cpu;

/// <summary>Matrix product and convolution of the CPU against the plain sums, over shapes that nobody chose.</summary>
public class ProjectionTests
{
    static readonly Backend Backend = Device.Cpu.Backend;

    // The plain sum is held to a bound of its own, as long as it has no more than some hundreds of terms, products of values in [-1, 1). Winograd's
    // error is some times larger and grows as random steps do, with the root of the terms.
    static double Rounding(bool isWinograd, int terms, double direct) => Math.Max(direct, isWinograd ? 3e-6 * Math.Sqrt(terms) : 4e-8 * terms);

    [Test]
    public void MatMul_equals_the_plain_sum([Range(0, 79)] int seed)
    {
        var g = Cases.Product(seed);
        var a = Cases.Values(seed, 100, g.StrideA == 0 ? g.M * g.K : g.Batch * g.M * g.K);
        var b = Cases.Values(seed, 101, g.StrideB == 0 ? g.K * g.N : g.Batch * g.K * g.N);
        var y = Cases.Output([g.Batch, g.M, g.N]);
        Backend.MatMul(Cases.Place(a, [a.Length]), Cases.Place(b, [b.Length]), g, default, y);
        Cases.AssertClose(Projections.MatMul(a, b, g), y, $"{g}");
    }

    [Test]
    public void Conv2d_equals_the_plain_sum([Range(0, 119)] int seed)
    {
        var (g, x, filter, _) = Operands(seed);
        var y = Cases.Output(OutputOf(g));
        Backend.Conv2d(Cases.Place(x, InputOf(g)), Cases.Place(filter, FilterOf(g)), g, default, y);
        Cases.AssertClose(Projections.Conv2d(x, filter, g), y, $"{g}", Rounding(WinogradTransforms.SuitsForward(g), 9 * g.InChannels, direct: 2e-5));
    }

    [Test]
    public void Conv2d_input_gradient_equals_the_plain_sum([Range(0, 119)] int seed)
    {
        var (g, _, filter, dy) = Operands(seed);
        var dx = Cases.Output(InputOf(g));
        Backend.Conv2dInputGradient(Cases.Place(dy, OutputOf(g)), Cases.Place(filter, FilterOf(g)), g, dx);
        Cases.AssertClose(Projections.Conv2dInputGradient(dy, filter, g), dx, $"{g}", Rounding(WinogradTransforms.Suits(g), 9 * g.OutChannels, direct: 2e-5));
    }

    [Test]
    public void Conv2d_filter_gradient_equals_the_plain_sum([Range(0, 119)] int seed)
    {
        var (g, x, _, dy) = Operands(seed);
        var dFilter = Cases.Output(FilterOf(g));
        Backend.Conv2dFilterGradient(Cases.Place(x, InputOf(g)), Cases.Place(dy, OutputOf(g)), g, dFilter);
        Cases.AssertClose(Projections.Conv2dFilterGradient(x, dy, g), dFilter, $"{g}", Rounding(WinogradTransforms.Suits(g), g.Rows, direct: 1e-4));
    }

    [Test]
    public void The_bits_do_not_depend_on_the_threads([Range(0, 19)] int seed)
    {
        var (g, x, filter, dy) = Operands(seed);
        using Tensor image = Cases.Place(x, InputOf(g)), weights = Cases.Place(filter, FilterOf(g)), gradient = Cases.Place(dy, OutputOf(g));
        Cases.AssertSameBits(() =>
        {
            Tensor y = Cases.Output(OutputOf(g)), dx = Cases.Output(InputOf(g)), dFilter = Cases.Output(FilterOf(g)), mean = Cases.Output([g.OutChannels]), variance = Cases.Output([g.OutChannels]);
            Backend.Conv2d(image, weights, g, new Epilogue<Tensor> { Statistics = new ChannelStatistics<Tensor>(mean, variance) }, y);
            Backend.Conv2dInputGradient(gradient, weights, g, dx);
            Backend.Conv2dFilterGradient(image, gradient, g, dFilter);
            return [y.ToArray(), dx.ToArray(), dFilter.ToArray(), mean.ToArray(), variance.ToArray()];
        }, $"{g}");
    }

    [Test]
    public void An_epilogue_does_what_its_steps_do_one_by_one([Range(0, 127)] int seed)
    {
        // The lowest bits choose the steps, so that all combinations appear; the shapes are other ones for each.
        bool hasBias = (seed & 1) != 0, hasNeurons = (seed & 2) != 0, hasStatistics = (seed & 4) != 0, hasScale = (seed & 8) != 0, hasResidual = (seed & 16) != 0, hasRelu = (seed & 32) != 0;
        var (g, x, filter, _) = Operands(seed + 1000);
        var product = new MatMulGeometry(1, g.Rows, g.OutChannels, Cases.Pick(seed, 60, 1, 50), false, false, 0, 0);
        var dense = (seed & 64) != 0;
        float[] left = Cases.Values(seed, 61, product.M * product.K), right = Cases.Values(seed, 62, product.K * product.N);

        var layout = new NeuronLayout(g.OutChannels, Cases.Pick(seed, 50, 0, 16));
        float[] bias = Cases.Values(seed, 51, g.OutChannels), lambda = Cases.Values(seed, 52, layout.Coefficients), scale = Cases.Values(seed, 53, g.OutChannels),
            shift = Cases.Values(seed, 54, g.OutChannels), residual = Cases.Values(seed, 55, g.Rows * g.OutChannels);
        var statistics = new ChannelStatistics<Tensor>(Cases.Output([g.OutChannels]), Cases.Output([g.OutChannels]), Tensor.Full([g.OutChannels], 2f), Tensor.Full([g.OutChannels], 3f), 0.25f);
        var epilogue = new Epilogue<Tensor>
        {
            Bias = hasBias ? Cases.Place(bias, [g.OutChannels]) : null,
            Quadratic = hasNeurons ? new QuadraticTerm<Tensor>(Cases.Place(lambda, [lambda.Length]), layout, seed % 3 != 0) : null,
            Statistics = hasStatistics ? statistics : null,
            Scale = hasScale ? Cases.Place(scale, [g.OutChannels]) : null,
            Shift = hasScale ? Cases.Place(shift, [g.OutChannels]) : null,
            Residual = hasResidual ? Cases.Place(residual, OutputOf(g)) : null,
            Activation = hasRelu ? Activation.Relu : Activation.None,
        };

        var y = Cases.Output(OutputOf(g));
        if (dense) Backend.MatMul(Cases.Place(left, [left.Length]), Cases.Place(right, [right.Length]), product, epilogue, y);
        else Backend.Conv2d(Cases.Place(x, InputOf(g)), Cases.Place(filter, FilterOf(g)), g, epilogue, y);

        var z = dense ? Projections.MatMul(left, right, product) : Projections.Conv2d(x, filter, g);
        int C = g.OutChannels;
        if (hasBias) z = [.. z.Select((value, i) => value + bias[i % C])];
        if (hasNeurons) z = QuadraticNeurons.Forward(z, lambda, layout, seed % 3 != 0);
        if (hasStatistics) AssertStatistics(z, statistics, $"{g}");
        if (hasScale) z = [.. z.Select((value, i) => value * scale[i % C] + shift[i % C])];
        if (hasResidual) z = [.. z.Select((value, i) => value + residual[i])];
        if (hasRelu) z = [.. z.Select(value => Math.Max(value, 0))];
        Cases.AssertClose(z, y, $"{g} {(dense ? "dense" : "convolution")} {epilogue}", tolerance: 1e-4);
    }

    static void AssertStatistics(double[] z, ChannelStatistics<Tensor> statistics, string what)
    {
        int channels = statistics.Mean.Length, rows = z.Length / channels;
        var mean = new double[channels];
        var squares = new double[channels];
        for (var i = 0; i < z.Length; i++) mean[i % channels] += z[i] / rows;
        for (var i = 0; i < z.Length; i++) squares[i % channels] += Math.Pow(z[i] - mean[i % channels], 2);
        Cases.AssertClose(mean, statistics.Mean, $"{what} mean", 1e-4);
        Cases.AssertClose([.. squares.Select(value => value / rows)], statistics.Variance, $"{what} variance", 1e-4);
        Cases.AssertClose([.. mean.Select(value => 0.75 * 2 + 0.25 * value)], statistics.RunningMean!, $"{what} running mean", 1e-4);
        Cases.AssertClose([.. squares.Select(value => 0.75 * 3 + 0.25 * value / Math.Max(1, rows - 1))], statistics.RunningVariance!, $"{what} running variance", 1e-4);
    }

    static (ConvGeometry Geometry, float[] X, float[] Filter, float[] Dy) Operands(int seed)
    {
        var g = Cases.Convolution(seed);
        return (g, Cases.Values(seed, 100, InputOf(g).Elements), Cases.Values(seed, 101, FilterOf(g).Elements), Cases.Values(seed, 102, OutputOf(g).Elements));
    }

    static Shape InputOf(ConvGeometry g) => [g.Batch, g.Height, g.Width, g.InChannels];

    static Shape FilterOf(ConvGeometry g) => [g.Window.Height, g.Window.Width, g.InChannels / g.Groups, g.OutChannels];

    static Shape OutputOf(ConvGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.OutChannels];
}
