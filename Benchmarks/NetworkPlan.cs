using QuadEngine.Layers;

namespace QuadEngine.Benchmarks;

/// <summary>The networks whose whole steps are measured.</summary>
public enum NetworkShape
{
    /// <summary>ResNet-20 on images of 32x32x3, ten classes.</summary>
    ResNet20,

    /// <summary>ResNet-18 on images of 224x224x3, a thousand classes.</summary>
    ResNet18,

    /// <summary>ResNet-50 on images of 224x224x3, a thousand classes.</summary>
    ResNet50,

    /// <summary>VGG-16 with batch norm on images of 32x32x3, ten classes.</summary>
    Vgg16,

    /// <summary>MobileNetV2 on images of 224x224x3, a thousand classes.</summary>
    MobileNetV2,
}

/// <summary>The activation after a part.</summary>
public enum Clamp
{
    /// <summary>None.</summary>
    None,

    /// <summary>max(x, 0).</summary>
    Relu,

    /// <summary>min(max(x, 0), 6).</summary>
    Relu6,
}

/// <summary>A part of a network.</summary>
public abstract record Part
{
    /// <summary>A convolution without bias, padded by half its kernel, with a batch norm and an activation.</summary>
    /// <param name="Channels">The number of channels of the result.</param>
    /// <param name="Kernel">The side of the filter.</param>
    /// <param name="Stride">The step of the filter.</param>
    /// <param name="Clamp">The activation, applied last.</param>
    /// <param name="Groups">The number of groups of channels.</param>
    public sealed record Conv(int Channels, int Kernel, int Stride = 1, Clamp Clamp = Clamp.Relu, int Groups = 1) : Part;

    /// <summary>The largest element of each window, padded by half its side without the middle.</summary>
    /// <param name="Kernel">The side of the window.</param>
    /// <param name="Stride">The step of the window.</param>
    public sealed record MaxPool(int Kernel, int Stride) : Part;

    /// <summary>The sum of the body's result and the input, which goes through the shortcut if there is one.</summary>
    /// <param name="Body">The parts of the body.</param>
    /// <param name="Shortcut">The shortcut, or null for the input itself.</param>
    /// <param name="Clamp">The activation of the sum.</param>
    public sealed record Residual(Part[] Body, Conv? Shortcut, Clamp Clamp) : Part;
}

/// <summary>A network, written once for all libraries: its parts, the mean of each channel over the image, and a linear classifier.</summary>
/// <param name="Title">The name of the network, and the extent of its images.</param>
/// <param name="Side">Height and width of its images of three channels.</param>
/// <param name="Classes">The number of classes.</param>
/// <param name="Parts">The parts in order.</param>
public sealed record NetworkPlan(string Title, int Side, int Classes, Part[] Parts)
{
    /// <summary>The number of channels of the images.</summary>
    public const int Channels = 3;

    /// <summary>The plan of a network.</summary>
    /// <param name="shape">A network other than ResNet-20, whose neurons and shortcuts no plan has.</param>
    public static NetworkPlan Of(NetworkShape shape) => shape switch
    {
        NetworkShape.ResNet18 => new("ResNet-18 at 224x224", 224, 1000, [.. Stem(), .. ResNet([2, 2, 2, 2], expansion: 1)]),
        NetworkShape.ResNet50 => new("ResNet-50 at 224x224", 224, 1000, [.. Stem(), .. ResNet([3, 4, 6, 3], expansion: 4)]),
        NetworkShape.Vgg16 => new("VGG-16 with batch norm at 32x32", 32, 10, [.. Vgg()]),
        NetworkShape.MobileNetV2 => new("MobileNetV2 at 224x224", 224, 1000, [new Part.Conv(32, 3, 2, Clamp.Relu6), .. InvertedResiduals(), new Part.Conv(1280, 1, Clamp: Clamp.Relu6)]),
        _ => throw new ArgumentException($"{nameof(NetworkPlan)}: there is no plan of {shape}.", nameof(shape)),
    };

    static Part[] Stem() => [new Part.Conv(64, 7, 2), new Part.MaxPool(3, 2)];

    // He et al. 2016, table 1: two 3x3 convolutions, or a bottleneck if the blocks expand their width.
    static IEnumerable<Part> ResNet(int[] blocks, int expansion)
    {
        var channels = 64;
        for (var stage = 0; stage < blocks.Length; stage++)
        {
            var width = 64 << stage;
            for (var i = 0; i < blocks[stage]; i++)
            {
                var stride = stage > 0 && i == 0 ? 2 : 1;
                var result = width * expansion;
                Part[] body = expansion == 1 ? [new Part.Conv(width, 3, stride), new Part.Conv(result, 3, 1, Clamp.None)]
                    : [new Part.Conv(width, 1), new Part.Conv(width, 3, stride), new Part.Conv(result, 1, 1, Clamp.None)];
                yield return new Part.Residual(body, channels == result ? null : new Part.Conv(result, 1, stride, Clamp.None), Clamp.Relu);
                channels = result;
            }
        }
    }

    // Simonyan and Zisserman 2015, table 1, column D, with the usual classifier for small images.
    static IEnumerable<Part> Vgg()
    {
        foreach (var (width, count) in ((int, int)[])[(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)])
        {
            for (var i = 0; i < count; i++) yield return new Part.Conv(width, 3);
            yield return new Part.MaxPool(2, 2);
        }
    }

    // Sandler et al. 2018, table 2.
    static IEnumerable<Part> InvertedResiduals()
    {
        var channels = 32;
        foreach (var (expansion, width, count, first) in ((int, int, int, int)[])[(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)])
        {
            for (var i = 0; i < count; i++)
            {
                int stride = i == 0 ? first : 1, hidden = channels * expansion;
                var expand = new Part.Conv(hidden, 1, 1, Clamp.Relu6);
                Part[] rest = [new Part.Conv(hidden, 3, stride, Clamp.Relu6, Groups: hidden), new Part.Conv(width, 1, 1, Clamp.None)];
                Part[] body = expansion == 1 ? rest : [expand, .. rest];
                if (stride == 1 && channels == width) yield return new Part.Residual(body, null, Clamp.None);
                else
                    foreach (var part in body) yield return part;
                channels = width;
            }
        }
    }

    /// <summary>Makes the network in QuadEngine.</summary>
    public Module Make()
    {
        var channels = Channels;
        Module[] modules = [.. Modules(Parts, ref channels)];
        return new Sequential([.. modules, new GlobalAvgPool2d(), new Linear(channels, Classes)]);
    }

    // Makes some parts for the given number of channels, which becomes that of their result.
    static List<Module> Modules(Part[] parts, ref int channels)
    {
        var modules = new List<Module>();
        foreach (var part in parts)
            switch (part)
            {
                case Part.Conv conv:
                    modules.AddRange([new Conv2d(channels, conv.Channels, conv.Kernel, conv.Stride, conv.Kernel / 2, groups: conv.Groups, bias: false), new BatchNorm(conv.Channels), .. Activations(conv.Clamp)]);
                    channels = conv.Channels;
                    break;
                case Part.MaxPool pool:
                    modules.Add(new MaxPool2d(pool.Kernel, pool.Stride, (pool.Kernel - 1) / 2));
                    break;
                case Part.Residual block:
                    var before = channels;
                    modules.Add(new ResidualSum(new Sequential([.. Modules(block.Body, ref channels)]), block.Shortcut is null ? new Identity() : new Sequential([.. Modules([block.Shortcut], ref before)])));
                    modules.AddRange(Activations(block.Clamp));
                    break;
            }

        return modules;
    }

    static Module[] Activations(Clamp clamp) => clamp switch
    {
        Clamp.Relu => [new Relu()],
        Clamp.Relu6 => [new Relu6()],
        _ => [],
    };

    sealed class ResidualSum : Module
    {
        readonly Module body, shortcut;

        public ResidualSum(Module body, Module shortcut) => (this.body, this.shortcut) = (Register("body", body), Register("shortcut", shortcut));

        protected override Tensor Compute(Tensor x) => body[x] + shortcut[x];
    }
}
