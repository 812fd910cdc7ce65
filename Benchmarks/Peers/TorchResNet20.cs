using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;
using NativeParameter = TorchSharp.Modules.Parameter;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>ResNet-20 of He et al. 2016, section 4.2, with shortcut A.</summary>
sealed class TorchResNet20 : Module<NativeTensor, NativeTensor>
{
    readonly Module<NativeTensor, NativeTensor> layers;

    public TorchResNet20(int classes, int rank, bool channelsLast) : base(nameof(TorchResNet20))
    {
        var blocks = new List<Module<NativeTensor, NativeTensor>> { Conv2d(3, 16, 3, padding: 1, bias: false), BatchNorm2d(16), ReLU(inplace: true) };
        var channels = 16;
        foreach (var width in (int[])[16, 32, 64])
            for (var i = 0; i < 3; i++, channels = width)
                blocks.Add(new TorchBlock(channels, width, rank, channelsLast));
        blocks.AddRange([AdaptiveAvgPool2d(1), Flatten(), Linear(channels, classes)]);
        layers = Sequential(blocks);
        RegisterComponents();
        if (channelsLast) StoreChannelsLast(this);
    }

    public override NativeTensor forward(NativeTensor x) => layers.forward(x);

    // Stores filters as [out, height, width, in], as libtorch needs them for channels-last images.
    public static void StoreChannelsLast(Module<NativeTensor, NativeTensor> network)
    {
        foreach (var conv in network.modules().OfType<Conv2d>())
            conv.weight = new NativeParameter(conv.weight!.detach().permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2));
    }
}

sealed class TorchBlock : Module<NativeTensor, NativeTensor>
{
    readonly Module<NativeTensor, NativeTensor> conv1, bn1, conv2, bn2;
    readonly long inChannels, width;

    public TorchBlock(int inChannels, int width, int rank, bool channelsLast) : base(nameof(TorchBlock))
    {
        (this.inChannels, this.width) = (inChannels, width);
        (conv1, bn1) = (Conv(inChannels, width, rank, width / inChannels, channelsLast), BatchNorm2d(width));
        (conv2, bn2) = (Conv(width, width, rank, 1, channelsLast), BatchNorm2d(width));
        RegisterComponents();
    }

    // Intermediate tensors are dropped at once, so that libtorch's allocator can reuse their memory. The graph keeps what it needs.
    public override NativeTensor forward(NativeTensor x)
    {
        using var scope = NewDisposeScope();
        var y = bn1.forward(conv1.forward(x)).relu_();
        return bn2.forward(conv2.forward(y)).add_(Shortcut(x)).relu_().MoveToOuterDisposeScope();
    }

    NativeTensor Shortcut(NativeTensor x)
    {
        if (inChannels == width) return x;
        var padding = (width - inChannels) / 2;
        return functional.pad(x[.., .., TensorIndex.Slice(step: 2), TensorIndex.Slice(step: 2)], [0, 0, 0, 0, padding, padding]);
    }

    static Module<NativeTensor, NativeTensor> Conv(int from, int to, int rank, int stride, bool channelsLast)
    {
        var conv = Conv2d(from, to, 3, stride: stride, padding: 1, bias: false);
        return rank == 0 ? conv : new TorchQuadratic(conv, to, rank, channelsLast);
    }
}

/// <summary>
/// The quadratic neuron y = w x + s sum_i lambda_i f_i^2, built from libtorch's operations in the form that is faster for the format of
/// its images. Four forms were tried: these two, a chain of addcmul, and a full 1x1 convolution of f^2.
/// </summary>
sealed class TorchQuadratic : Module<NativeTensor, NativeTensor>
{
    readonly Module<NativeTensor, NativeTensor> conv;
    readonly NativeParameter lambda;
    readonly int neurons, rank;
    readonly bool channelsLast;

    public TorchQuadratic(Conv2d conv, int channels, int rank, bool channelsLast) : base(nameof(TorchQuadratic))
    {
        (this.conv, this.rank, this.channelsLast, neurons) = (conv, rank, channelsLast, channels / (rank + 1));
        lambda = new NativeParameter(zeros(rank * neurons));
        RegisterComponents();
    }

    public override NativeTensor forward(NativeTensor x)
    {
        using var scope = NewDisposeScope();
        var z = conv.forward(x);
        return (channelsLast ? ByGroups(z) : BySlices(z)).MoveToOuterDisposeScope();
    }

    // Channels are all y, then all f_1, and so on. So slices are whole images, and the sum runs over a leading axis.
    NativeTensor BySlices(NativeTensor z)
    {
        var f = z.narrow(1, neurons, rank * neurons);
        var terms = (f.square() * (lambda.view(1, -1, 1, 1) / rank)).view(z.shape[0], rank, neurons, z.shape[2], z.shape[3]);
        return cat([z.narrow(1, 0, neurons) + terms.sum(1), f], 1);
    }

    // Channels are y, f_1..f_k, neuron after neuron. The sum is a 1x1 convolution of z^2 with one group per neuron, with weights [0, lambda] for y and 0 for f.
    NativeTensor ByGroups(NativeTensor z)
    {
        var filter = functional.pad(lambda.view(neurons, 1, rank, 1) / rank, [0, 0, 1, 0, 0, rank]).view(-1, rank + 1, 1, 1);
        return z + functional.conv2d(z.square(), filter, groups: neurons);
    }
}
