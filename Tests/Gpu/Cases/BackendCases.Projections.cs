using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

// Projections.
static partial class BackendCases
{
    static IEnumerable<BackendCase> Projections =>
    [
        new(nameof(Backend.MatMul), "", s =>
        {
            // A few sums are so long that they are cut into slices.
            int m = s.Extent(300), n = s.Extent(150), k = s.Chance(4) ? s.Extent(1500) : s.Extent(150), batch = s.Chance(4) ? 3 : 1;
            var g = new MatMulGeometry(batch, m, n, k, s.Chance(), s.Chance(), m * k, s.Chance() ? 0 : k * n);
            Tensor a = s.Values([batch * m * k]), b = s.Values([(g.StrideB == 0 ? 1 : batch) * k * n]), y = s.Output([batch, m, n]);
            var epilogue = batch == 1 ? Epilogue(s, m, n) : default;
            s.Backend.MatMul(a, b, g, epilogue, y);
            s.Result("y", y);
            Results(s, epilogue.Statistics);
        }),
        new(nameof(Backend.Conv2d), "", s =>
        {
            var g = Convolution(s);
            Tensor x = s.Values(InputOf(g)), filter = s.Values(FilterOf(g)), y = s.Output(OutputOf(g));
            var epilogue = Epilogue(s, g.Rows, g.OutChannels);
            s.Backend.Conv2d(x, filter, g, epilogue, y);
            s.Result("y", y);
            Results(s, epilogue.Statistics);
        }),
        new(nameof(Backend.Conv2dInputGradient), "", s =>
        {
            var g = Convolution(s);
            Tensor dy = s.Values(OutputOf(g)), filter = s.Values(FilterOf(g)), dx = s.Output(InputOf(g));
            s.Backend.Conv2dInputGradient(dy, filter, g, dx);
            s.Result("dx", dx);
        }),
        new(nameof(Backend.Conv2dFilterGradient), "", s =>
        {
            var g = Convolution(s);
            Tensor x = s.Values(InputOf(g)), dy = s.Values(OutputOf(g)), dFilter = s.Output(FilterOf(g));
            s.Backend.Conv2dFilterGradient(x, dy, g, dFilter);
            s.Result("dFilter", dFilter);
        }),
    ];

    static ConvGeometry Convolution(Sample s)
    {
        // Channels that are multiples of a vector and others; one tap or many; sometimes groups.
        int size = s.Pick(1, 3), stride = s.Pick(1, 3), padding = s.Pick(0, 2), dilation = s.Chance(4) ? 2 : 1, groups = s.Chance(4) ? 2 : 1;
        int height = dilation * (size - 1) + s.Pick(1, 9), width = dilation * (size - 1) + s.Pick(1, 9);
        return new ConvGeometry(s.Pick(1, 3), height, width, groups * Channels(), groups * Channels(), new Window(size, size, stride, padding, dilation), groups);

        int Channels() => s.Chance() ? 4 * s.Pick(1, 10) : s.Extent(70);
    }

    static Shape InputOf(ConvGeometry g) => [g.Batch, g.Height, g.Width, g.InChannels];

    static Shape FilterOf(ConvGeometry g) => [g.Window.Height, g.Window.Width, g.InChannels / g.Groups, g.OutChannels];

    static Shape OutputOf(ConvGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.OutChannels];

    internal static Epilogue<Tensor> Epilogue(Sample s, int rows, int channels)
    {
        if (s.Chance(4)) return default;
        var layout = new NeuronLayout(channels, s.Pick(0, 9));
        var affine = s.Chance();
        return new Epilogue<Tensor>
        {
            Bias = s.Maybe([channels]),
            Quadratic = s.Chance() ? new QuadraticTerm<Tensor>(s.Values([layout.Coefficients]), layout, s.Chance()) : null,
            Statistics = rows > 1 && s.Chance() ? Statistics(s, channels) : null,
            Scale = affine ? s.Values([channels]) : null,
            Shift = affine ? s.Values([channels]) : null,
            Residual = s.Maybe([rows, channels]),
            Activation = s.Chance() ? Activation.Relu : Activation.None,
        };
    }

    static ChannelStatistics<Tensor> Statistics(Sample s, int channels) =>
        new(s.Output([channels]), s.Output([channels]), s.Maybe([channels]), s.Maybe([channels], 0.5f, 1f), s.Number(0f));

    internal static void Results(Sample s, ChannelStatistics<Tensor>? statistics)
    {
        s.Result("mean", statistics?.Mean);
        s.Result("variance", statistics?.Variance);
        s.Result("running mean", statistics?.RunningMean);
        s.Result("running variance", statistics?.RunningVariance);
    }
}
