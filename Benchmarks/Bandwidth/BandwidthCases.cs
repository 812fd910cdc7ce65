using QuadEngine.Devices;

namespace QuadEngine.Benchmarks.Bandwidth;

/// <summary>The kernels on activations of ResNet-20 at batch 128 (first and last stage), and on some odd widths.</summary>
static class BandwidthCases
{
    static readonly Backend Cpu = Device.Cpu.Backend;

    public static IEnumerable<BandwidthCase> All() =>
    [
        .. Activations([128, 32, 32, 16]), .. Activations([128, 8, 8, 64]), .. Normalisations([128, 32, 32, 3]), .. Normalisations([128, 16, 16, 100]),
        .. Copies(), .. Rows(), .. Optimizers(),
    ];

    static IEnumerable<BandwidthCase> Activations(Shape shape)
    {
        Tensor x = Make(shape), b = Make(shape), y = Make(shape), bias = Make([shape.Channels]), row = Make([shape[0], 1, 1, shape.Channels]), scalar = Make([]);
        yield return Case($"ReLU {shape}", shape.Elements, 2, () => Cpu.Unary<ReluOp>(x, y));
        yield return Case($"ReLU backward {shape}", shape.Elements, 3, () => Cpu.UnaryBackward<ReluOp>(x, b, b, y));
        yield return Case($"sigmoid {shape}", shape.Elements, 2, () => Cpu.Unary<SigmoidOp>(x, y));
        yield return Case($"add {shape}", shape.Elements, 3, () => Cpu.Binary<AddOp>(x, b, y));
        yield return Case($"add bias {shape}", shape.Elements, 2, () => Cpu.Binary<AddOp>(x, bias, y));
        yield return Case($"multiply by [N, 1, 1, C] {shape}", shape.Elements, 2, () => Cpu.Binary<MultiplyOp>(x, row, y));
        yield return Case($"multiply backward {shape}", shape.Elements, 5, () => Cpu.BinaryBackward<MultiplyOp>(x, x, b, null, y, b));
        yield return Case($"sum over rows {shape}", shape.Elements, 1, () => Cpu.Reduce<SumOp>(x, 1, shape.Rows, shape.Channels, bias));
        yield return Case($"sum of all {shape}", shape.Elements, 1, () => Cpu.Reduce<SumOp>(x, 1, shape.Elements, 1, scalar));
        yield return Case($"norm {shape}", shape.Elements, 1, () => Cpu.Norm([x], scalar));
        yield return Case($"dropout {shape}", shape.Elements, 2, () => Cpu.Dropout(x, new(1, 2), 0.5f, y));
        yield return Case($"uniform {shape}", shape.Elements, 1, () => Cpu.Uniform(y, new(1, 2), 0f, 1f));
        foreach (var normalisation in Normalisations(shape)) yield return normalisation;
    }

    static IEnumerable<BandwidthCase> Normalisations(Shape shape)
    {
        Tensor x = Make(shape), residual = Make(shape), dy = Make(shape), y = Make(shape), dx = Make(shape), dResidual = Make(shape);
        Tensor mean = Make([shape.Channels]), variance = Tensor.Ones([shape.Channels]), gamma = Make([shape.Channels]), dGamma = Make([shape.Channels]), dBeta = Make([shape.Channels]);
        var statistics = new ChannelStatistics<Tensor>(Make([shape.Channels]), Make([shape.Channels]));
        yield return Case($"statistics {shape}", shape.Elements, 1, () => Cpu.GatherStatistics(x, statistics));
        yield return Case($"batch norm {shape}", shape.Elements, 2, () => Cpu.BatchNorm(x, new(mean, variance, 1e-5f, gamma, mean, Activation.None), null, y));
        yield return Case($"batch norm + residual + ReLU {shape}", shape.Elements, 3, () => Cpu.BatchNorm(x, new(mean, variance, 1e-5f, gamma, mean, Activation.Relu), residual, y));
        yield return Case($"batch norm backward {shape}", shape.Elements, 5, () => Cpu.BatchNormBackward(dy, x, null, new(mean, variance, 1e-5f, gamma, null, Activation.None), true, null, dx, dGamma, dBeta, null));
        yield return Case($"batch norm backward + ReLU {shape}", shape.Elements, 7, () => Cpu.BatchNormBackward(dy, x, y, new(mean, variance, 1e-5f, gamma, null, Activation.Relu), true, null, dx, dGamma, dBeta, null));
        yield return Case($"batch norm backward + residual + ReLU {shape}", shape.Elements, 8, () => Cpu.BatchNormBackward(dy, x, y, new(mean, variance, 1e-5f, gamma, null, Activation.Relu), true, null, dx, dGamma, dBeta, dResidual));
    }

    static IEnumerable<BandwidthCase> Copies()
    {
        Shape shape = [128, 32, 32, 16];
        Tensor x = Make(shape), y = Make(shape), padded = Make([128, 34, 34, 16]), half = Make([128, 16, 16, 16]), wide = Make([128, 32, 32, 32]);
        yield return Case($"fill {shape}", shape.Elements, 1, () => Cpu.Fill(y, 1f));
        yield return Case("to channels last, [128, 16, 32, 32]", shape.Elements, 2, () => Cpu.CopyStrided(x, 0, [16384, 32, 1, 1024], shape, 0, [16384, 512, 16, 1], y));
        yield return Case("transpose [2048, 1024]", shape.Elements, 2, () => Cpu.CopyStrided(x, 0, [1, 1024], [1024, 2048], 0, [2048, 1], y));
        yield return Case($"pad by 1 {shape}", shape.Elements, 2, () => Cpu.CopyStrided(x, 0, [16384, 512, 16, 1], shape, 16 * 35, [34 * 34 * 16, 34 * 16, 16, 1], padded));
        yield return Case($"every second pixel of {shape}", half.Length, 2, () => Cpu.CopyStrided(x, 0, [16384, 1024, 32, 1], half.Shape, 0, [4096, 256, 16, 1], half));
        yield return Case($"shortcut A: stride 2, 16 channels of 32 {shape}", half.Length, 2, () => Cpu.CopyStrided(x, 0, [16384, 1024, 32, 1], half.Shape, 8, [8192, 512, 32, 1], wide));
    }

    static IEnumerable<BandwidthCase> Rows()
    {
        foreach (var channels in (int[])[10, 64, 1000])
        {
            Shape shape = [(1 << 21) / channels, channels];
            Tensor x = Make(shape), y = Make(shape), dx = Make(shape), gamma = Make([channels]), mean = Make([shape[0]]), rstd = Make([shape[0]]), losses = Make([shape[0]]);
            var labels = IntTensor.FromArray(new int[shape[0]]);
            yield return Case($"sum of each row {shape}", shape.Elements, 1, () => Cpu.Reduce<SumOp>(x, shape[0], channels, 1, mean));
            yield return Case($"softmax {shape}", shape.Elements, 2, () => Cpu.Softmax(x, false, y));
            yield return Case($"softmax backward {shape}", shape.Elements, 3, () => Cpu.SoftmaxBackward(x, y, false, dx));
            yield return Case($"cross-entropy {shape}", shape.Elements, 2, () => Cpu.CrossEntropy(x, labels, 0.1f, y, losses));
            yield return Case($"layer norm {shape}", shape.Elements, 2, () => Cpu.LayerNorm(x, 1e-5f, gamma, gamma, y, mean, rstd));
            yield return Case($"layer norm backward {shape}", shape.Elements, 3, () => Cpu.LayerNormBackward(y, x, mean, rstd, gamma, dx, gamma, gamma));
        }
    }

    static IEnumerable<BandwidthCase> Optimizers()
    {
        int[] lengths = [.. Enumerable.Range(0, 65).Select(i => i % 3 == 0 ? 9 * 64 * 64 : 64)];
        Tensor[] w = [.. lengths.Select(length => Make([length]))], g = [.. lengths.Select(length => Make([length]))],
            m = [.. lengths.Select(length => Make([length]))], v = [.. lengths.Select(length => Tensor.Ones([length]))];
        yield return Case("SGD with momentum, 65 tensors", lengths.Sum(), 5, () => Cpu.Sgd(w, g, m, new(1e-3f, 0.9f, 0f, 1e-4f, false, 2)));
        yield return Case("AdamW, 65 tensors", lengths.Sum(), 7, () => Cpu.AdamW(w, g, m, v, new(1e-3f, 0.9f, 0.999f, 1e-8f, 0.01f, 10)));
    }

    static BandwidthCase Case(string name, int length, int streams, Action call) => new(name, length, 4.0 * streams * length, call);

    static Tensor Make(Shape shape) => Tensor.Normal(shape);
}
