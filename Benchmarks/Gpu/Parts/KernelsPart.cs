using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>The kernels that take most of a step's time, each with the operations or the bytes that it cannot avoid.</summary>
static class KernelsPart
{
    public const string Part = "kernels", Seconds = "seconds", Flops = "flops", Bytes = "bytes";

    /// <summary>The shape of a batch-norm pass of ResNet-50, which is larger than a card's caches.</summary>
    static Shape PassOf(GpuBench bench) => [bench.IsCard ? 128 : 2, 56, 56, 64];

    public static string MatrixProduct(GpuBench bench, Precision precision) => $"{precision}: matrix product {bench.Size}^3";

    /// <summary>The passes that mainly move memory.</summary>
    public static readonly string[] Passes = ["ReLU", "batch-norm statistics", "batch norm + residual + ReLU", "batch norm backward", "batch norm backward + quadratic neurons, rank 3", "quadratic neurons, rank 3"];

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
    [
        .. Enum.GetValues<Precision>().SelectMany(precision => Products(bench, precision)),
        .. Passes.Select(pass => new WorkItem(Part, pass, () => Pass(bench.At(Precision.Float32), pass, PassOf(bench)))),
    ];

    static IEnumerable<WorkItem> Products(GpuBench bench, Precision precision)
    {
        yield return new(Part, MatrixProduct(bench, precision), () =>
        {
            var (device, n) = (bench.At(precision), bench.Size);
            using Tensor a = Random(device, [n, n], 1), b = Random(device, [n, n], 2), y = Tensor.Empty([n, n], device);
            var g = new MatMulGeometry(1, n, n, n, false, false, 0, 0);
            return Timed(device, Flops, 2.0 * g.MultiplyAdds, () => device.Backend.MatMul(a, b, g, default, y));
        });

        foreach (var (channels, side) in ((int, int)[])[(16, 32), (32, 16), (64, 8)])
            foreach (var product in (string[])["forward", "quadratic + statistics", "input gradient", "filter gradient"])
                yield return new(Part, $"{precision}: 3x3, {channels} channels, {side}x{side}: {product}", () => Convolution(bench.At(precision), new ConvGeometry(bench.Batch, side, side, channels, channels, new Window(3, 3, 1, 1)), product));
    }

    static (string, double?, string?)[] Convolution(GpuDevice device, ConvGeometry g, string product)
    {
        var channels = g.InChannels;
        using Tensor x = Random(device, [g.Batch, g.Height, g.Width, channels], 3), w = Random(device, [3, 3, channels, channels], 4), y = Random(device, x.Shape, 6), dw = Tensor.Like(w);
        using Tensor mean = Tensor.Zeros([channels], device), variance = Tensor.Zeros([channels], device);
        var layout = new NeuronLayout(channels, 3);
        using var lambda = Random(device, [layout.Coefficients], 5);
        var quadratic = new Epilogue<Tensor> { Quadratic = new QuadraticTerm<Tensor>(lambda, layout, true), Statistics = new ChannelStatistics<Tensor>(mean, variance) };
        return Timed(device, Flops, 2.0 * g.MultiplyAdds, product switch
        {
            "forward" => () => device.Backend.Conv2d(x, w, g, default, y),
            "quadratic + statistics" => () => device.Backend.Conv2d(x, w, g, quadratic, y),
            "input gradient" => () => device.Backend.Conv2dInputGradient(y, w, g, x),
            _ => () => device.Backend.Conv2dFilterGradient(x, y, g, dw),
        });
    }

    static (string, double?, string?)[] Pass(GpuDevice device, string pass, Shape shape)
    {
        using Tensor x = Random(device, shape, 1), y = Tensor.Like(x), dy = Random(device, shape, 2);
        using Tensor mean = Tensor.Zeros([64], device), variance = Tensor.Ones([64], device), dGamma = Tensor.Like(mean), dBeta = Tensor.Like(mean), lambda = Random(device, [48], 3), dLambda = Tensor.Like(lambda);
        var neurons = new QuadraticTerm<Tensor>(lambda, new NeuronLayout(64, 3), true);
        var (passes, call) = pass switch
        {
            "ReLU" => (2, (Action)(() => device.Backend.Unary<ReluOp>(x, y))),
            "batch-norm statistics" => (1, () => device.Backend.GatherStatistics(x, new ChannelStatistics<Tensor>(mean, variance))),
            "batch norm + residual + ReLU" => (3, () => device.Backend.BatchNorm(x, new(mean, variance, 1e-5f, null, null, Activation.Relu), dy, y)),
            "batch norm backward" => (7, () => device.Backend.BatchNormBackward(dy, x, y, new(mean, variance, 1e-5f, null, null, Activation.Relu), true, null, y, dGamma, dBeta, null)),
            "batch norm backward + quadratic neurons, rank 3" => (7, () => device.Backend.BatchNormBackward(dy, x, y, new(mean, variance, 1e-5f, null, null, Activation.Relu), true, new(neurons, false, dLambda), y, dGamma, dBeta, null)),
            _ => (2, () => device.Backend.Quadratic(x, neurons, y)),
        };
        return Timed(device, Bytes, 4.0 * passes * shape.Elements, call);
    }

    static (string, double?, string?)[] Timed(GpuDevice device, string unit, double amount, Action call) => [(Seconds, Clock.KernelSeconds(device, call), null), (unit, amount, null)];

    static Tensor Random(Device device, Shape shape, ulong seed) => Tensor.Uniform(shape, -1f, 1f, new Generator(seed), device);
}
