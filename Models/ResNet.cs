using System.Globalization;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The replacement of the identity if a residual block changes the shape (He et al. 2016).</summary>
public enum Shortcut
{
    /// <summary>Every second pixel, with zero channels padded half before and half after. It has no parameters.</summary>
    A,

    /// <summary>A 1x1 convolution and a batch norm.</summary>
    B,
}

/// <summary>The construction of a ResNet; <see cref="ResNet"/> has the two usual forms.</summary>
public sealed record ResNetOptions
{
    /// <summary>The number of blocks of each stage.</summary>
    public required int[] Blocks { get; init; }

    /// <summary>The number of channels of each stage, before the expansion of a bottleneck.</summary>
    public required int[] Widths { get; init; }

    /// <summary>The number of classes.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>The number of channels of the images.</summary>
    public int InChannels { get; init; } = 3;

    /// <summary>Whether the network starts with a 7x7 convolution of stride 2 and a max pooling (ImageNet). If false, it starts with a 3x3 convolution.</summary>
    public bool LargeStem { get; init; }

    /// <summary>Whether blocks have 1x1, 3x3 and 1x1 convolutions, the last with four times the width.</summary>
    public bool Bottleneck { get; init; }

    /// <summary>The shortcut of blocks that change the shape.</summary>
    public Shortcut Shortcut { get; init; }

    /// <summary>The neuron of the convolutions in the blocks.</summary>
    public Neuron Neuron { get; init; } = Neurons.Linear;

    /// <summary>The neurons of single layers by path ("conv1", "layer2.0.conv1"). They override <see cref="Neuron"/>. Stem, shortcuts and classifier are linear unless named here.</summary>
    public IReadOnlyDictionary<string, Neuron> NeuronOf { get; init; } = new Dictionary<string, Neuron>();

    /// <summary>The name of the classifier's parameters: "linear" for the CIFAR form, "fc" for torchvision's form.</summary>
    public string Classifier { get; init; } = "linear";
}

/// <summary>
/// Residual networks (He et al. 2016): a stem, stages of residual blocks that halve the resolution and double the width, global average
/// pooling and a linear classifier. The keys of the parameters are those of the usual PyTorch implementations.
/// </summary>
public sealed class ResNet : Module
{
    readonly Module conv1, bn1, classifier;
    readonly Module? pool;
    readonly List<Module> stages = [];

    /// <summary>Creates a network of any depth and width.</summary>
    /// <param name="options">The construction, with one width and at least one block for each stage.</param>
    /// <exception cref="ArgumentException">There are no stages, or a stage has no width or no blocks.</exception>
    public ResNet(ResNetOptions options)
    {
        Check.That(options.Blocks.Length > 0 && options.Blocks.Length == options.Widths.Length && options.Blocks.All(count => count > 0), nameof(ResNet),
            $"there are {options.Blocks.Length} stages of blocks and {options.Widths.Length} widths; give one width and at least one block for each stage.");
        Options = options;
        var channels = options.Widths[0];
        conv1 = Register("conv1", Layer("conv1", new ConvProjection(options.InChannels, channels, options.LargeStem ? 7 : 3, options.LargeStem ? 2 : 1, options.LargeStem ? 3 : 1), Neurons.Linear));
        bn1 = Register("bn1", new BatchNorm(channels));
        pool = options.LargeStem ? new MaxPool2d(3, stride: 2, padding: 1) : null;
        for (var stage = 0; stage < options.Blocks.Length; stage++)
        {
            var blocks = new Module[options.Blocks[stage]];
            for (var i = 0; i < blocks.Length; i++)
            {
                var path = string.Create(CultureInfo.InvariantCulture, $"layer{stage + 1}.{i}");
                var block = new ResidualBlock(this, path, channels, options.Widths[stage], stride: stage > 0 && i == 0 ? 2 : 1);
                channels = block.OutChannels;
                blocks[i] = block;
            }

            stages.Add(Register(string.Create(CultureInfo.InvariantCulture, $"layer{stage + 1}"), new Sequential(blocks)));
        }

        classifier = Register(options.Classifier, Layer(options.Classifier, new DenseProjection(channels, options.Classes), Neurons.Linear, bias: true));
    }

    /// <summary>The construction of the network.</summary>
    public ResNetOptions Options { get; }

    /// <summary>Creates the CIFAR form, section 4.2: depth 6n + 2, widths 16, 32, 64, shortcut A.</summary>
    /// <param name="depth">The depth 6n + 2, at least 8: three stages of n blocks with two convolutions each.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="neuron">The neuron of the convolutions in the blocks; null for linear.</param>
    /// <param name="inChannels">The number of channels of the images.</param>
    /// <param name="shortcut">The shortcut of blocks that change the shape.</param>
    /// <param name="width">The number of channels of the first stage; the other stages have two and four times this number.</param>
    /// <param name="neuronOf">The neurons of single layers by path (<see cref="ResNetOptions.NeuronOf"/>); null for none.</param>
    /// <exception cref="ArgumentException">The depth is not 6n + 2.</exception>
    public static ResNet Cifar(int depth, int classes = 10, Neuron? neuron = null, int inChannels = 3, Shortcut shortcut = Shortcut.A, int width = 16, IReadOnlyDictionary<string, Neuron>? neuronOf = null)
    {
        Check.That(depth >= 8 && (depth - 2) % 6 == 0, nameof(ResNet), $"a CIFAR ResNet of depth {depth} is not possible; the depth is 6n + 2: 8, 14, 20, 32, 44, 56, 110, ...");
        var n = (depth - 2) / 6;
        return new ResNet(new ResNetOptions
        {
            Blocks = [n, n, n],
            Widths = [width, 2 * width, 4 * width],
            Classes = classes,
            InChannels = inChannels,
            Shortcut = shortcut,
            Neuron = neuron ?? Neurons.Linear,
            NeuronOf = neuronOf ?? new Dictionary<string, Neuron>(),
        });
    }

    /// <summary>Creates the ImageNet form, table 1, with torchvision's names and shortcut B.</summary>
    /// <param name="depth">The depth: 18, 34 or 50. At 50 the blocks are bottlenecks.</param>
    /// <param name="classes">The number of classes.</param>
    /// <param name="neuron">The neuron of the convolutions in the blocks; null for linear.</param>
    /// <param name="inChannels">The number of channels of the images.</param>
    /// <param name="neuronOf">The neurons of single layers by path (<see cref="ResNetOptions.NeuronOf"/>); null for none.</param>
    /// <exception cref="ArgumentException">The depth is not 18, 34 or 50.</exception>
    public static ResNet ImageNet(int depth, int classes = 1000, Neuron? neuron = null, int inChannels = 3, IReadOnlyDictionary<string, Neuron>? neuronOf = null) => new(new ResNetOptions
    {
        Blocks = depth switch
        {
            18 => [2, 2, 2, 2],
            34 or 50 => [3, 4, 6, 3],
            _ => throw new ArgumentException($"{nameof(ResNet)}: an ImageNet ResNet of depth {depth} is not known; use 18, 34 or 50."),
        },
        Widths = [64, 128, 256, 512],
        Classes = classes,
        InChannels = inChannels,
        LargeStem = true,
        Bottleneck = depth == 50,
        Shortcut = Shortcut.B,
        Neuron = neuron ?? Neurons.Linear,
        NeuronOf = neuronOf ?? new Dictionary<string, Neuron>(),
        Classifier = "fc",
    });

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x)
    {
        Check.That(x.Rank == 4 && x.Shape[3] == Options.InChannels, nameof(ResNet),
            $"the input has shape {x.Shape} but the network reads images [N, H, W, {Options.InChannels}]. If yours are [N, C, H, W], call ToChannelsLast().");
        x = bn1[conv1[x]].Relu();
        if (pool is not null) x = pool[x];
        foreach (var stage in stages) x = stage[x];
        return classifier[x.GlobalAvgPool2d()];
    }

    /// <inheritdoc/>
    protected override string Describe() => $"ResNet({Options.Blocks.Sum() * (Options.Bottleneck ? 3 : 2) + 2}, {Options.Neuron.Name} neurons)";

    internal Module Layer(string path, Projection projection, Neuron otherwise, bool bias = false) =>
        Options.NeuronOf.GetValueOrDefault(path, otherwise).Layer(projection, bias);
}

/// <summary>The residual block of He et al. 2016, figure 2 (or figure 5, the bottleneck): convolutions with batch norms, and a shortcut around them.</summary>
sealed class ResidualBlock : Module
{
    readonly Module conv1, bn1, conv2, bn2, shortcut;
    readonly Module? conv3, bn3;

    public ResidualBlock(ResNet network, string path, int inChannels, int width, int stride)
    {
        var options = network.Options;
        OutChannels = options.Bottleneck ? 4 * width : width;
        Module Conv(string name, int from, int to, int kernelSize, int step) =>
            Register(name, network.Layer($"{path}.{name}", new ConvProjection(from, to, kernelSize, step, kernelSize / 2), options.Neuron));

        conv1 = Conv("conv1", inChannels, width, options.Bottleneck ? 1 : 3, options.Bottleneck ? 1 : stride);
        bn1 = Register("bn1", new BatchNorm(width));
        conv2 = Conv("conv2", width, width, 3, options.Bottleneck ? stride : 1);
        bn2 = Register("bn2", new BatchNorm(width));
        if (options.Bottleneck)
        {
            conv3 = Conv("conv3", width, OutChannels, 1, 1);
            bn3 = Register("bn3", new BatchNorm(OutChannels));
        }

        var name = options.LargeStem ? "downsample" : "shortcut";
        shortcut = stride == 1 && inChannels == OutChannels ? new Identity()
            : options.Shortcut == Shortcut.A ? new SubsampleAndPad(inChannels, OutChannels, stride)
            : Register(name, new Sequential(network.Layer($"{path}.{name}.0", new ConvProjection(inChannels, OutChannels, 1, stride), Neurons.Linear), new BatchNorm(OutChannels)));
    }

    public int OutChannels { get; }

    protected override Tensor Compute(Tensor x)
    {
        var y = bn2[conv2[bn1[conv1[x]].Relu()]];
        if (conv3 is not null) y = bn3![conv3[y.Relu()]];
        return (y + shortcut[x]).Relu();
    }
}

/// <summary>Shortcut A: every stride-th pixel, with zero channels half before and half after.</summary>
sealed class SubsampleAndPad(int inChannels, int outChannels, int stride) : Module
{
    protected override Tensor Compute(Tensor x)
    {
        var before = (outChannels - inChannels) / 2;
        return x.Subsample(1, stride).Subsample(2, stride).Pad(3, before, outChannels - inChannels - before);
    }
}

/// <summary>The ResNets by name: "resnet20" and others of depth 6n + 2 in the CIFAR form, "resnet18", "resnet34" and "resnet50" in the ImageNet form.</summary>
sealed class ResNetEntry(int depth, InputForm input, string help) : NetworkEntry(string.Create(CultureInfo.InvariantCulture, $"resnet{depth}"), help)
{
    const int DeepestCifar = 110;

    static readonly int[] imageNetDepths = [18, 34, 50];
    static readonly EntryOption<Shortcut> shortcut = EntryOption.Word("shortcut", "Where the network changes shape, a pads with zero channels and b convolves", Shortcut.A);

    bool IsLarge => input == InputForm.Large;

    public override IReadOnlyList<EntryOption> Options => IsLarge ? [] : [shortcut];

    public override InputForm Input => input;

    public override Module Make(NetworkConfiguration network, Neuron neuron) => IsLarge
        ? ResNet.ImageNet(depth, network.Classes, neuron, network.Channels)
        : ResNet.Cifar(depth, network.Classes, neuron, network.Channels, network.Model.Get(shortcut));

    public static IEnumerable<NetworkEntry> All() =>
    [
        .. Enumerable.Range(1, DeepestCifar / 6).Select(n => 6 * n + 2).Where(depth => !imageNetDepths.Contains(depth))
            .Select(depth => new ResNetEntry(depth, InputForm.Small, "residual network of 6n + 2 layers for small images (He et al. 2016, section 4.2)")),
        .. imageNetDepths.Select(depth => new ResNetEntry(depth, InputForm.Large, "residual network for photographs, with torchvision's names (He et al. 2016, table 1)")),
    ];
}
