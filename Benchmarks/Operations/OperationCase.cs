using QuadEngine.Devices;

namespace QuadEngine.Benchmarks.Operations;

/// <summary>A kernel on operands of a realistic size, which can be run repeatedly.</summary>
/// <param name="Name">The name in tables.</param>
/// <param name="Prepare">Makes the operands on a device and returns the call.</param>
/// <param name="Target">The share of its floor that it should reach, or null if there is no target.</param>
public sealed record OperationCase(string Name, Func<Device, Action> Prepare, double? Target = null)
{
    const int Batch = 128, LargeImages = 8;

    /// <summary>The kernels of a training step of ResNet-20 at batch 128, those of ResNet-18 on images of 224 x 224 at batch 8, and matrix products.</summary>
    public static IReadOnlyList<OperationCase> All { get; } =
    [
        .. Convolutions(3, 16, 32), .. Convolutions(16, 16, 32), .. Convolutions(32, 32, 16), .. Convolutions(64, 64, 8),
        .. Convolutions(16, 32, 32, stride: 2), .. Convolutions(32, 64, 16, stride: 2), .. Convolutions(64, 64, 8, size: 1),
        .. Convolutions(3, 64, 224, size: 7, stride: 2, LargeImages), .. Convolutions(64, 64, 56, batch: LargeImages), .. Convolutions(128, 128, 28, batch: LargeImages),
        .. Convolutions(256, 256, 14, batch: LargeImages), .. Convolutions(512, 512, 7, batch: LargeImages),
        MatMul(2048, 2048, 2048), MatMul(512, 512, 512), MatMul(Batch, 1000, 512), MatMul(512, 512, 512, transposeA: true), MatMul(512, 512, 512, transposeB: true),
        .. Activations(16, 32), .. Activations(64, 8),
        Sgd(),
    ];

    /// <summary>The cases whose names contain the text.</summary>
    public static IEnumerable<OperationCase> Matching(string text) => All.Where(operation => operation.Name.Contains(text, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public override string ToString() => Name;

    static IEnumerable<OperationCase> Convolutions(int from, int to, int extent, int size = 3, int stride = 1, int batch = Batch)
    {
        var geometry = new ConvGeometry(batch, extent, extent, from, to, new Window(size, size, stride, size / 2));
        var shape = $"{size}x{size}{(stride == 1 ? "" : $"/{stride}")} {from} -> {to} at {extent}x{extent}{(batch == Batch ? "" : $", batch {batch}")}";
        var plain = from == to && size == 3 && batch == Batch;
        Shape input = [batch, extent, extent, from], filter = [size, size, from, to], output = [batch, geometry.OutHeight, geometry.OutWidth, to];
        yield return new($"convolution {shape}", device =>
        {
            var (x, w, y) = (Make(input, device), Make(filter, device), Make(output, device));
            return () => device.Backend.Conv2d(x, w, geometry, default, y);
        }, plain ? 0.85 : null);
        yield return new($"convolution + statistics {shape}", device =>
        {
            var (x, w, y, statistics) = (Make(input, device), Make(filter, device), Make(output, device), new ChannelStatistics<Tensor>(Make([to], device), Make([to], device)));
            return () => device.Backend.Conv2d(x, w, geometry, new Epilogue<Tensor> { Statistics = statistics }, y);
        });
        yield return new($"convolution + quadratic k = 3 + statistics {shape}", device =>
        {
            var (x, w, y, statistics) = (Make(input, device), Make(filter, device), Make(output, device), new ChannelStatistics<Tensor>(Make([to], device), Make([to], device)));
            var layout = new NeuronLayout(to, 3);
            var term = new QuadraticTerm<Tensor>(Make([layout.Coefficients], device), layout, Normalized: true);
            return () => device.Backend.Conv2d(x, w, geometry, new Epilogue<Tensor> { Quadratic = term, Statistics = statistics }, y);
        });
        yield return new($"input gradient {shape}", device =>
        {
            var (dx, w, dy) = (Make(input, device), Make(filter, device), Make(output, device));
            return () => device.Backend.Conv2dInputGradient(dy, w, geometry, dx);
        }, plain ? 0.75 : null);
        yield return new($"filter gradient {shape}", device =>
        {
            var (x, dw, dy) = (Make(input, device), Make(filter, device), Make(output, device));
            return () => device.Backend.Conv2dFilterGradient(x, dy, geometry, dw);
        }, plain ? 0.75 : null);
    }

    static OperationCase MatMul(int m, int n, int k, bool transposeA = false, bool transposeB = false) =>
        new($"matmul {m} x {n} x {k}{(transposeA ? ", left transposed" : "")}{(transposeB ? ", right transposed" : "")}", device =>
        {
            var (a, b, y) = (Make([m, k], device), Make([k, n], device), Make([m, n], device));
            var geometry = new MatMulGeometry(1, m, n, k, transposeA, transposeB, 0, 0);
            return () => device.Backend.MatMul(a, b, geometry, default, y);
        });

    static IEnumerable<OperationCase> Activations(int channels, int extent)
    {
        Shape shape = [Batch, extent, extent, channels];
        yield return new($"ReLU {shape}", device =>
        {
            var (x, y) = (Make(shape, device), Make(shape, device));
            return () => device.Backend.Unary<ReluOp>(x, y);
        });
        yield return new($"add {shape}", device =>
        {
            var (a, b, y) = (Make(shape, device), Make(shape, device), Make(shape, device));
            return () => device.Backend.Binary<AddOp>(a, b, y);
        });
        yield return new($"batch norm + residual + ReLU {shape}", device =>
        {
            var (x, residual, y, channel) = (Make(shape, device), Make(shape, device), Make(shape, device), Ones(channels, device));
            return () => device.Backend.BatchNorm(x, new(channel, channel, 1e-5f, channel, channel, Activation.Relu), residual, y);
        });
        yield return new($"batch norm backward + ReLU {shape}", device =>
        {
            var (dy, x, y, dx, channel) = (Make(shape, device), Make(shape, device), Make(shape, device), Make(shape, device), Ones(channels, device));
            var (dGamma, dBeta) = (Make([channels], device), Make([channels], device));
            return () => device.Backend.BatchNormBackward(dy, x, y, new(channel, channel, 1e-5f, channel, null, Activation.Relu), batchStatistics: true, null, dx, dGamma, dBeta, null);
        });
        yield return new($"batch norm backward + ReLU + quadratic k = 3 {shape}", device =>
        {
            var layout = new NeuronLayout(channels, 3);
            var (dy, x, y, dx, channel) = (Make(shape, device), Make(shape, device), Make(shape, device), Make(shape, device), Ones(channels, device));
            var (dGamma, dBeta, lambda, dLambda) = (Make([channels], device), Make([channels], device), Make([layout.Coefficients], device), Make([layout.Coefficients], device));
            return () => device.Backend.BatchNormBackward(dy, x, y, new(channel, channel, 1e-5f, channel, null, Activation.Relu), batchStatistics: true, new(new(lambda, layout, Normalized: true), Detached: false, dLambda), dx, dGamma, dBeta, null);
        });
        yield return new($"quadratic backward k = 3 {shape}", device =>
        {
            var layout = new NeuronLayout(channels, 3);
            var (dy, y, dz, lambda, dLambda) = (Make(shape, device), Make(shape, device), Make(shape, device), Make([layout.Coefficients], device), Make([layout.Coefficients], device));
            return () => device.Backend.QuadraticBackward(dy, y, new(new(lambda, layout, Normalized: true), Detached: false, dLambda), dz);
        });
    }

    // ResNet-20 has 270 thousand parameters in 65 tensors.
    static OperationCase Sgd() => new("SGD with momentum, 65 tensors", device =>
    {
        Tensor[] parameters = Many(), gradients = Many(), momenta = Many();
        var step = new SgdStep(1e-3f, Momentum: 0.9f, Dampening: 0f, WeightDecay: 1e-4f, Nesterov: false, Step: 2);
        return () => device.Backend.Sgd(parameters, gradients, momenta, step);

        Tensor[] Many() => [.. Enumerable.Range(0, 65).Select(_ => Make([4150], device))];
    });

    static Tensor Make(Shape shape, Device device) => Tensor.Normal(shape).To(device);

    static Tensor Ones(int channels, Device device) => Tensor.Ones([channels], device);
}
