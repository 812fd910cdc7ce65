using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>Networks by their plans in TorchSharp.</summary>
static class TorchNetwork
{
    public static NativeModule Make(NetworkPlan plan, bool channelsLast)
    {
        var channels = NetworkPlan.Channels;
        NativeModule[] modules = [.. Modules(plan.Parts, ref channels)];
        var network = Sequential([.. modules, AdaptiveAvgPool2d(1), Flatten(), Linear(channels, plan.Classes)]);
        if (channelsLast) TorchResNet20.StoreChannelsLast(network);
        return network;
    }

    // Makes some parts for the given number of channels, which becomes that of their result.
    static List<NativeModule> Modules(Part[] parts, ref int channels)
    {
        var modules = new List<NativeModule>();
        foreach (var part in parts)
            switch (part)
            {
                case Part.Conv conv:
                    modules.AddRange([Conv2d(channels, conv.Channels, conv.Kernel, stride: conv.Stride, padding: conv.Kernel / 2, groups: conv.Groups, bias: false), BatchNorm2d(conv.Channels), .. Activations(conv.Clamp)]);
                    channels = conv.Channels;
                    break;
                case Part.MaxPool pool:
                    modules.Add(MaxPool2d(pool.Kernel, stride: pool.Stride, padding: (pool.Kernel - 1) / 2));
                    break;
                case Part.Residual block:
                    var before = channels;
                    modules.Add(new ResidualSum(Sequential(Modules(block.Body, ref channels)), block.Shortcut is null ? null : Sequential(Modules([block.Shortcut], ref before))));
                    modules.AddRange(Activations(block.Clamp));
                    break;
            }

        return modules;
    }

    static NativeModule[] Activations(Clamp clamp) => clamp switch
    {
        Clamp.Relu => [ReLU(inplace: true)],
        Clamp.Relu6 => [ReLU6(inplace: true)],
        _ => [],
    };

    sealed class ResidualSum : Module<NativeTensor, NativeTensor>
    {
        readonly NativeModule body;
        readonly NativeModule? shortcut;

        public ResidualSum(NativeModule body, NativeModule? shortcut) : base(nameof(ResidualSum))
        {
            (this.body, this.shortcut) = (body, shortcut);
            RegisterComponents();
        }

        // Intermediate tensors are dropped at once, so that libtorch's allocator can reuse their memory. The graph keeps what it needs.
        public override NativeTensor forward(NativeTensor x)
        {
            using var scope = NewDisposeScope();
            return body.forward(x).add_(shortcut is null ? x : shortcut.forward(x)).MoveToOuterDisposeScope();
        }
    }
}
