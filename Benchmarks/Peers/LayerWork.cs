using QuadEngine.Layers;
using static TorchSharp.torch;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>One layer, or a small network of layers, forward and backward, in both libraries.</summary>
/// <param name="Name">What is computed, with its extents.</param>
/// <param name="Target">The highest ratio of our time to libtorch's that is good enough.</param>
/// <param name="Ours">Makes the step in QuadEngine.</param>
/// <param name="Torch">Makes the step in libtorch, with images channels last if true.</param>
sealed partial record LayerWork(string Name, double Target, Func<Action> Ours, Func<bool, Action> Torch)
{
    const int Classes = 10;

    /// <summary>All rows of the table.</summary>
    public static IReadOnlyList<LayerWork> All { get; } =
    [
        Convolution("depthwise 3x3, 64 channels at 32x32, batch 32", 0.8, batch: 32, side: 32, channels: 64, outChannels: 64, groups: 64),
        Convolution("depthwise 3x3, 256 channels at 14x14, batch 32", 0.8, batch: 32, side: 14, channels: 256, outChannels: 256, groups: 256),
        Convolution("grouped 3x3, 128 channels at 28x28, 32 groups, batch 8", 0.8, batch: 8, side: 28, channels: 128, outChannels: 128, groups: 32),
        Convolution("depthwise 3x3, 64 channels with 2 outputs each at 32x32, batch 32", 0.8, batch: 32, side: 32, channels: 64, outChannels: 128, groups: 64),
        Convolution("1x1 convolution, 256 -> 64 at 56x56, batch 4", 0.8, batch: 4, side: 56, channels: 256, outChannels: 64, kernel: 1),
        Convolution("1x1 convolution, 64 -> 256 at 56x56, batch 4", 0.8, batch: 4, side: 56, channels: 64, outChannels: 256, kernel: 1),
        Convolution("1x1 convolution, 512 -> 2048 at 7x7, batch 4", 0.8, batch: 4, side: 7, channels: 512, outChannels: 2048, kernel: 1),
        Separable("depthwise separable network, 64 channels at 32x32, batch 32, training step", 0.5, side: 32, channels: 64),
        Separable("depthwise separable network, 256 channels at 14x14, batch 32, training step", 0.5, side: 14, channels: 256),
        Network("MLP 784-1024-1024-10, training step of 128", 0.7, [128, 784],
            () => new Sequential(new Linear(784, 1024), new Relu(), new Linear(1024, 1024), new Relu(), new Linear(1024, Classes)),
            () => Native.Sequential(Native.Linear(784, 1024), Native.ReLU(), Native.Linear(1024, 1024), Native.ReLU(), Native.Linear(1024, Classes))),
        new("linear 1576 x 192 -> 768", 0.8,
            () => Gradients(x => x[0].MatMul(x[1], bias: x[2]), Random(1576, 192), Random(192, 768), Random(768)),
            _ => Gradients(x => Native.functional.linear(x[0], x[1], x[2]), randn(1576, 192), randn(768, 192), randn(768))),
        new("GELU on [1576, 768]", 0.6, () => Gradients(x => x[0].Gelu(), Random(1576, 768)), _ => Gradients(x => Native.functional.gelu(x[0]), randn(1576, 768))),
        new("layer norm on [1576, 192]", 0.8,
            () => Gradients(x => x[0].LayerNorm(x[1], x[2]), Random(1576, 192), Random(192), Random(192)),
            _ => Gradients(x => Native.functional.layer_norm(x[0], [192], x[1], x[2]), randn(1576, 192), randn(192), randn(192))),
        new("softmax on [4728, 197]", 0.8, () => Gradients(x => x[0].Softmax(), Random(4728, 197)), _ => Gradients(x => Native.functional.softmax(x[0], -1), randn(4728, 197))),
        .. Transformers,
    ];

    /// <summary>The row of a name.</summary>
    public static LayerWork Get(string name) => All.Single(work => work.Name == name);

    static LayerWork Convolution(string name, double target, int batch, int side, int channels, int outChannels, int kernel = 3, int groups = 1) => new(name, target,
        () => Gradients(x => x[0].Conv2d(x[1], padding: kernel / 2, groups: groups), Random(batch, side, side, channels), Random(kernel, kernel, channels / groups, outChannels)),
        channelsLast => Gradients(x => Native.functional.conv2d(x[0], x[1], padding: [kernel / 2L, kernel / 2L], groups: groups), Images(batch, side, channels, channelsLast), randn(outChannels, channels / groups, kernel, kernel)));

    static LayerWork Separable(string name, double target, int side, int channels)
    {
        return Network(name, target, [32, side, side, channels],
            () => new Sequential([.. Ours(channels), .. Ours(1), .. Ours(channels), new GlobalAvgPool2d(), new Linear(channels, Classes)]),
            () => Native.Sequential([.. Theirs(channels), .. Theirs(1), .. Theirs(channels), Native.AdaptiveAvgPool2d(1), Native.Flatten(), Native.Linear(channels, Classes)]));

        // A depthwise 3x3 or a dense 1x1 convolution, with batch norm and ReLU.
        Module[] Ours(int groups) => [new Conv2d(channels, channels, groups > 1 ? 3 : 1, padding: groups > 1 ? 1 : 0, groups: groups, bias: false), new BatchNorm(channels), new Relu()];

        NativeModule[] Theirs(int groups) =>
            [Native.Conv2d(channels, channels, groups > 1 ? 3 : 1, padding: groups > 1 ? 1 : 0, groups: groups, bias: false), Native.BatchNorm2d(channels), Native.ReLU(inplace: true)];
    }

    // A training step with cross-entropy and SGD with momentum; an input of rank 4 is [N, H, W, C].
    static LayerWork Network(string name, double target, int[] shape, Func<Module> ours, Func<NativeModule> torch) => new(name, target,
        () =>
        {
            var (network, x) = (ours(), Random(shape));
            var labels = IntTensor.FromArray([.. Enumerable.Range(0, shape[0]).Select(i => i % Classes)]);
            var sgd = new Sgd(network.ParameterGroups(), learningRate: 0.01f, momentum: 0.9f, weightDecay: 1e-4f);
            return () =>
            {
                using var logits = network.Forward(x);
                using var loss = Losses.CrossEntropy(logits, labels);
                loss.Backward();
                sgd.Step();
                _ = loss.Item();
            };
        },
        channelsLast =>
        {
            var (network, x) = (torch(), shape.Length == 4 ? Images(shape[0], shape[1], shape[3], channelsLast) : randn(shape[0], shape[1]));
            var labels = arange(shape[0], ScalarType.Int64).remainder(Classes);
            if (channelsLast) TorchResNet20.StoreChannelsLast(network);
            var sgd = optim.SGD(network.parameters(), 0.01, momentum: 0.9, weight_decay: 1e-4);
            return () =>
            {
                using var scope = NewDisposeScope();
                sgd.zero_grad();
                var loss = Native.functional.cross_entropy(network.forward(x), labels);
                loss.backward();
                sgd.step();
                _ = loss.item<float>();
            };
        });

    static Tensor Random(params int[] shape) => Tensor.Normal(Shape.Create(shape));

    static NativeTensor Images(int batch, int side, int channels, bool channelsLast) =>
        channelsLast ? randn(batch, side, side, channels).permute(0, 3, 1, 2) : randn(batch, channels, side, side);

    // Forward, and the gradients of all operands from a fixed one of the result.
    static Action Gradients(Func<Tensor[], Tensor> operation, params Tensor[] operands)
    {
        foreach (var operand in operands) operand.RequiresGrad = true;
        var upstream = Tensor.Normal(operation(operands).Shape);
        return () =>
        {
            using var scope = new TensorScope();
            var y = operation(operands);
            y.Read().Dispose();         // a projection is deferred until somebody reads it, and its backward does not
            y.Backward(upstream);
            foreach (var operand in operands)
            {
                operand.Grad!.Dispose();
                operand.Grad = null;
            }
        };
    }

    static Action Gradients(Func<NativeTensor[], NativeTensor> operation, params NativeTensor[] operands)
    {
        foreach (var operand in operands) operand.requires_grad_();
        var upstream = randn_like(operation(operands)).detach();
        return () =>
        {
            using var scope = NewDisposeScope();
            operation(operands).backward([upstream]);
            foreach (var operand in operands) operand.grad = null;
        };
    }
}
