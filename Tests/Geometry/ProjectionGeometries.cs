using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;
using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>Matrix products and convolutions: any strides, paddings, dilations and groups, empty sums, and the shapes that kernels treat specially.</summary>
static class ProjectionGeometries
{
    public static IEnumerable<GeometryCase> All =>
    [
        new(nameof(Backend.MatMul), MatMul),
        new(nameof(Backend.Conv2d), Conv2d),
        new(nameof(Backend.Conv2dInputGradient), InputGradient),
        new(nameof(Backend.Conv2dFilterGradient), FilterGradient),
        new(nameof(Kernels.NormalizeAndConv2d), NormalizeAndConv2d),
        new(nameof(Kernels.NormalizeAndConv2dFilterGradient), NormalizeAndFilterGradient),
        new(nameof(Kernels.NormalizeAndConv2dInputGradient), NormalizeAndInputGradient),
    ];

    static void MatMul(Draw s)
    {
        var g = s.Noted(Product(s));
        Tensor a = s.Values([g.StrideA == 0 ? g.M * g.K : g.Batch * g.M * g.K]), b = s.Values([g.StrideB == 0 ? g.K * g.N : g.Batch * g.K * g.N]), y = s.Output([g.Batch, g.M, g.N]);
        var epilogue = new DrawnEpilogue(s, g.Batch * g.M, g.N);
        s.Backend.MatMul(a, b, g, epilogue.Steps, y);
        epilogue.Expect(y, () => Projections.MatMul(s.Initial(a), s.Initial(b), g));
    }

    static void Conv2d(Draw s)
    {
        var g = s.Noted(Convolution(s));
        Tensor x = s.Values(InputOf(g)), filter = s.Values(FilterOf(g)), y = s.Output(OutputOf(g));
        var epilogue = new DrawnEpilogue(s, g.Rows, g.OutChannels);
        s.Backend.Conv2d(x, filter, g, epilogue.Steps, y);
        epilogue.Expect(y, () => Rounded(Projections.Conv2d(s.Initial(x), s.Initial(filter), g), s.IsCpu && WinogradTransforms.SuitsForward(g)));
    }

    static void InputGradient(Draw s)
    {
        var g = s.Noted(Convolution(s));
        Tensor dy = s.Values(OutputOf(g)), filter = s.Values(FilterOf(g)), dx = s.Output(InputOf(g));
        s.Backend.Conv2dInputGradient(dy, filter, g, dx);
        s.Expect("dx", dx, () => Rounded(Projections.Conv2dInputGradient(s.Initial(dy), s.Initial(filter), g), s.IsCpu && WinogradTransforms.Suits(g)));
    }

    static void FilterGradient(Draw s)
    {
        var g = s.Noted(Convolution(s));
        Tensor x = s.Values(InputOf(g)), dy = s.Values(OutputOf(g)), dFilter = s.Output(FilterOf(g));
        s.Backend.Conv2dFilterGradient(x, dy, g, dFilter);
        s.Expect("dFilter", dFilter, () => Rounded(Projections.Conv2dFilterGradient(s.Initial(x), s.Initial(dy), g), s.IsCpu && WinogradTransforms.Suits(g)));
    }

    static void NormalizeAndConv2d(Draw s)
    {
        var g = s.Noted(Convolution(s));
        Tensor x = s.Values(InputOf(g)), filter = s.Values(FilterOf(g)), y = s.Output(OutputOf(g));
        var (norm, relu, epilogue) = (new NormalizationGeometries.ChannelNorm(s, g.InChannels), s.Chance(), new DrawnEpilogue(s, g.Rows, g.OutChannels));
        using (var held = new Held())
            s.Device.Kernels.NormalizeAndConv2d(held.Read(x), Term(norm, relu).Hold(held), held.Read(filter), g, epilogue.Steps.Hold(held), held.Write(y));
        epilogue.Expect(y, () => OfNormalized(norm.Outputs(s.Initial(x), relu), s.Initial(filter), (a, b) => Rounded(Projections.Conv2d(a, b, g), s.IsCpu && WinogradTransforms.SuitsForward(g))));
    }

    static void NormalizeAndFilterGradient(Draw s)
    {
        var g = s.Noted(Convolution(s));
        Tensor x = s.Values(InputOf(g)), dy = s.Values(OutputOf(g)), dFilter = s.Output(FilterOf(g));
        var (norm, relu) = (new NormalizationGeometries.ChannelNorm(s, g.InChannels), s.Chance());
        using (var held = new Held())
            s.Device.Kernels.NormalizeAndConv2dFilterGradient(held.Read(x), Term(norm, relu).Hold(held), held.Read(dy), g, held.Write(dFilter));
        s.Expect("dFilter", dFilter, () => OfNormalized(norm.Outputs(s.Initial(x), relu), s.Initial(dy), (a, b) => Rounded(Projections.Conv2dFilterGradient(a, b, g), s.IsCpu && WinogradTransforms.Suits(g))));
    }

    static void NormalizeAndInputGradient(Draw s)
    {
        var c = s.Noted(Convolution(s));
        Tensor dy = s.Values(OutputOf(c)), filter = s.Values(FilterOf(c)), x = s.Values(InputOf(c)), g = s.Output(InputOf(c)), dGamma = s.Output([c.InChannels]), dBeta = s.Output([c.InChannels]);
        var (norm, relu) = (new NormalizationGeometries.ChannelNorm(s, c.InChannels), s.Chance());
        s.Backend.NormalizeAndConv2dInputGradient(dy, filter, c, x, Term(norm, relu), g, dGamma, dBeta);
        var rectified = new Lazy<Approximate[]>(() =>
        {
            var gradients = Rounded(Projections.Conv2dInputGradient(s.Initial(dy), s.Initial(filter), c), s.IsCpu && WinogradTransforms.Suits(c));
            return relu ? [.. gradients.Zip(norm.Outputs(s.Initial(x), relu: false), Rectified)] : gradients;
        });
        s.Expect("g", g, () => rectified.Value);
        s.Expect("dBeta", dBeta, () => Normalization.SumsOf(rectified.Value, c.InChannels, i => i % c.InChannels));
        s.Expect("dGamma", dGamma, () => Normalization.SumsOf([.. rectified.Value.Zip(norm.Normalized(s.Initial(x)), (a, b) => a * b)], c.InChannels, i => i % c.InChannels));
    }

    // If the sign of y is uncertain, both results are right.
    static Approximate Rectified(Approximate gradient, Approximate y)
    {
        var passed = y.Value > 0 ? gradient : 0;
        return Math.Abs(y.Value) > y.Error ? passed : passed with { Error = gradient.Error + Math.Abs(gradient.Value) };
    }

    static NormTerm<Tensor> Term(NormalizationGeometries.ChannelNorm norm, bool relu) => norm.Term(relu ? Activation.Relu : Activation.None);

    // Returns the sums of products of the other factor with the normalized numbers, and with their errors.
    static Approximate[] OfNormalized(Approximate[] normalized, float[] other, Func<float[], float[], Approximate[]> sums)
    {
        var errors = sums([.. normalized.Select(value => (float)(value.Error + Math.Abs(value.Value) * Approximate.Roundoff))], [.. other.Select(Math.Abs)]);
        return [.. sums([.. normalized.Select(value => (float)value.Value)], other).Zip(errors, (sum, error) => sum with { Error = sum.Error + error.Value + error.Error })];
    }

    // Winograd's error is up to 3.2 times that of the plain sum (see the remark at WinogradTransforms), and belongs to a whole tile. The terms of an element
    // at a border do not bound it. So the bound of each element is four times the largest bound of all elements.
    static Approximate[] Rounded(Approximate[] sums, bool isWinograd)
    {
        if (!isWinograd || sums.Length == 0) return sums;
        var largest = 4 * sums.Max(sum => sum.Error);
        return [.. sums.Select(sum => sum with { Error = largest })];
    }

    static MatMulGeometry Product(Draw s)
    {
        while (true)
        {
            int batch = s.Chance(3) ? s.Extent(9) : 1, m = s.Extent(300), n = s.Extent(300), k = s.Chance(6) ? s.Extent(4096) : s.Extent(130);
            if ((long)batch * (m + 1) * (n + 1) * (k + 1) > 4L * s.MostProducts) continue;
            return new(batch, m, n, k, s.Chance(), s.Chance(), s.Chance(4) ? 0 : m * k, s.Chance(4) ? 0 : k * n);
        }
    }

    static ConvGeometry Convolution(Draw s)
    {
        var kind = s.Between(1, 12);
        while (true)
        {
            var g = kind switch
            {
                // The convolutions of residual networks, which use Winograd's algorithm.
                <= 3 => new ConvGeometry(s.Extent(4), s.Extent(20), s.Extent(20), 16 * s.Extent(4), 16 * s.Extent(6), new Window(3, 3, 1, s.Between(0, 2))),

                // A filter that is larger than the caches, on small images, for which kernels use another order; only if a draw may be that large.
                4 when s.MostProducts > 1 << 20 => new(s.Between(1, 2), s.Positive(7), s.Positive(7), s.Between(126, 160), s.Between(250, 280), new Window(3, 3, s.Between(1, 2), 1)),

                // One channel on one side, and strides larger than the window.
                5 => new(s.Positive(3), s.Extent(17), s.Extent(17), s.OneOf(1, 8, 16, 17), s.OneOf(1, 8, 16, 32), new Window(s.Between(1, 3), s.Between(1, 3), s.Between(2, 7), s.Between(0, 3), s.Between(1, 2))),

                // Groups of a few channels, which kernels take together.
                6 => Grouped(s, s.OneOf(1, 2, 4, 8), 1),

                // Several outputs for each channel.
                7 => Grouped(s, 1, s.Between(2, 5)),
                _ => Any(s),
            };
            if (!Fits(g) || (long)(g.Batch + 1) * g.OutHeight * g.OutWidth * (g.OutChannels + 1) * g.Window.Height * g.Window.Width * (g.InChannels / g.Groups + 1) > 4L * s.MostProducts) continue;
            if ((long)g.Batch * g.Height * g.Width * g.InChannels <= s.MostProducts) return g;
        }
    }

    static ConvGeometry Grouped(Draw s, int size, int multiplier)
    {
        var groups = s.Positive(80 / size);
        return new(s.Positive(3), s.Extent(20), s.Extent(20), groups * size, groups * size * multiplier, new Window(s.Positive(4), s.Positive(4), s.Positive(3), s.Extent(3), s.Positive(2)), groups);
    }

    static ConvGeometry Any(Draw s)
    {
        var window = new Window(s.Positive(5), s.Positive(5), s.Chance() ? 1 : s.Positive(13), s.Chance() ? 0 : s.Extent(5), s.Chance(3) ? s.Positive(4) : 1);
        int groups = s.Chance(3) ? s.Positive(16) : 1, inputs = s.Extent(70 / groups), outputs = s.Extent(140 / groups);
        return new(s.Extent(4), s.Extent(40), s.Extent(40), groups * inputs, groups * outputs, window, groups);
    }

    static bool Fits(ConvGeometry g) => g.Height + 2 * g.Window.Padding >= Reach(g, g.Window.Height) && g.Width + 2 * g.Window.Padding >= Reach(g, g.Window.Width);

    static int Reach(ConvGeometry g, int size) => g.Window.Dilation * (size - 1) + 1;

    static Shape InputOf(ConvGeometry g) => [g.Batch, g.Height, g.Width, g.InChannels];

    static Shape FilterOf(ConvGeometry g) => [g.Window.Height, g.Window.Width, g.InChannels / g.Groups, g.OutChannels];

    static Shape OutputOf(ConvGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.OutChannels];
}
