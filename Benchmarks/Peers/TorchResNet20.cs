using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace QuadEngine.Benchmarks.Peers;

// Inside the namespace, so that they win over QuadEngine's own.
using Parameter = TorchSharp.Modules.Parameter;
using Tensor = TorchSharp.torch.Tensor;

/// <summary>ResNet-20 of He et al. 2016, section 4.2, with shortcut A.</summary>
sealed class TorchResNet20 : Module<Tensor, Tensor>
{
    readonly Module<Tensor, Tensor> layers;

    public TorchResNet20(int classes, int rank) : base(nameof(TorchResNet20))
    {
        var blocks = new List<Module<Tensor, Tensor>> { Conv2d(3, 16, 3, padding: 1, bias: false), BatchNorm2d(16), ReLU(inplace: true) };
        var channels = 16;
        foreach (var width in (int[])[16, 32, 64])
            for (var i = 0; i < 3; i++, channels = width)
                blocks.Add(new TorchBlock(channels, width, rank));
        blocks.AddRange([AdaptiveAvgPool2d(1), Flatten(), Linear(channels, classes)]);
        layers = Sequential(blocks);
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) => layers.forward(x);

    /// <summary>Stores the filters [out, height, width, in], as libtorch wants them for channels-last images.</summary>
    public void ToChannelsLast()
    {
        foreach (var conv in modules().OfType<Conv2d>())
            conv.weight = new Parameter(conv.weight!.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2));
    }
}

sealed class TorchBlock : Module<Tensor, Tensor>
{
    readonly Module<Tensor, Tensor> conv1, bn1, conv2, bn2;
    readonly long inChannels, width;

    public TorchBlock(int inChannels, int width, int rank) : base(nameof(TorchBlock))
    {
        (this.inChannels, this.width) = (inChannels, width);
        (conv1, bn1) = (Conv(inChannels, width, rank, stride: width / inChannels), BatchNorm2d(width));
        (conv2, bn2) = (Conv(width, width, rank, stride: 1), BatchNorm2d(width));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x) =>
        bn2.forward(conv2.forward(bn1.forward(conv1.forward(x)).relu_())).add_(Shortcut(x)).relu_();

    Tensor Shortcut(Tensor x)
    {
        if (inChannels == width) return x;
        var padding = (width - inChannels) / 2;
        return functional.pad(x[.., .., TensorIndex.Slice(step: 2), TensorIndex.Slice(step: 2)], [0, 0, 0, 0, padding, padding]);
    }

    static Module<Tensor, Tensor> Conv(int from, int to, int rank, int stride)
    {
        var conv = Conv2d(from, to, 3, stride: stride, padding: 1, bias: false);
        return rank == 0 ? conv : new TorchQuadratic(conv, to, rank);
    }
}

/// <summary>
/// The quadratic neuron of operations that libtorch has: y = w x + s sum_i lambda_i f_i^2. Its channels are all y, then all f_1, and so
/// on, so that slices are whole images and the sum runs over a leading axis.
/// </summary>
sealed class TorchQuadratic : Module<Tensor, Tensor>
{
    readonly Module<Tensor, Tensor> conv;
    readonly Parameter lambda;
    readonly int neurons, rank;

    public TorchQuadratic(Conv2d conv, int channels, int rank) : base(nameof(TorchQuadratic))
    {
        (this.conv, this.rank, neurons) = (conv, rank, channels / (rank + 1));
        lambda = new Parameter(zeros(1, rank * neurons, 1, 1));
        RegisterComponents();
    }

    public override Tensor forward(Tensor x)
    {
        var z = conv.forward(x);
        var f = z.narrow(1, neurons, rank * neurons);
        var terms = (f.square() * (lambda / rank)).view(z.shape[0], rank, neurons, z.shape[2], z.shape[3]);
        return cat([z.narrow(1, 0, neurons) + terms.sum(1), f], 1);
    }
}
