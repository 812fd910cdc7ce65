using System.Globalization;
using System.Text.Json.Serialization;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A network in words: enough to build it again from a file.</summary>
public sealed record NetworkConfiguration
{
    /// <summary>One of <see cref="Networks.Names"/>.</summary>
    public string Model { get; init; } = "resnet20";

    /// <summary>The neuron of the block convolutions, one of <see cref="Neurons.Names"/>.</summary>
    public string Neuron { get; init; } = "linear";

    /// <summary>k, for neurons that have a rank.</summary>
    public int Rank { get; init; } = 3;

    /// <summary>How quadratic neurons start and learn.</summary>
    public QuadraticOptions Quadratic { get; init; } = new();

    /// <summary>Keep only the input of each layer of neurons for backward, and compute its projections again there: less memory, more time.</summary>
    public bool Recompute { get; init; }

    /// <summary>The shortcut of a CIFAR ResNet where the shape changes.</summary>
    public Shortcut Shortcut { get; init; }

    /// <summary>Height of the images.</summary>
    public int Height { get; init; } = 32;

    /// <summary>Width of the images.</summary>
    public int Width { get; init; } = 32;

    /// <summary>Channels of the images.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Classes to tell apart.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>[N, H, W, C], for so many images.</summary>
    /// <param name="images">N.</param>
    public Shape InputShape(int images = 1) => [images, Height, Width, Channels];

    /// <summary>The network, its weights drawn from <see cref="Generator.Default"/>.</summary>
    /// <exception cref="ArgumentException">The model or the neuron is not known.</exception>
    public Module Build() => Networks.Create(this);

    /// <summary>"resnet20", or "resnet20-quadratic3" where the neuron is not linear.</summary>
    [JsonIgnore]
    public string Title => Neuron == Neurons.Linear.Name ? Model : $"{Model}-{Neurons.Get(Neuron, Rank, Quadratic).Title}";
}

/// <summary>The networks by name.</summary>
public static class Networks
{
    const int DeepestCifar = 110;

    static readonly int[] ImageNetDepths = [18, 34, 50];

    static readonly Dictionary<string, Func<NetworkConfiguration, Neuron, Module>> makers = Makers();

    /// <summary>All names: ResNets in the CIFAR form (depth 6n + 2), and resnet18, resnet34 and resnet50 in the ImageNet form.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. makers.Keys];

    /// <summary>Builds a network, its weights drawn from <see cref="Generator.Default"/>.</summary>
    /// <param name="configuration">Its height and width do not count: the network takes images of any size.</param>
    /// <exception cref="ArgumentException">The model or the neuron is not known; the message has those that are.</exception>
    public static Module Create(NetworkConfiguration configuration) => makers.TryGetValue(configuration.Model, out var make)
        ? make(configuration, Neurons.Get(configuration.Neuron, configuration.Rank, configuration.Quadratic) with { Recompute = configuration.Recompute })
        : throw new ArgumentException($"no model \"{configuration.Model}\" (known: {string.Join(", ", Names)})");

    /// <summary>Whether a network reads large images: a 7x7 convolution of stride 2 and a pooling come first.</summary>
    /// <param name="model">One of <see cref="Names"/>; any other does not.</param>
    public static bool IsImageNetForm(string model) => ImageNetDepths.Any(depth => NameOf(depth) == model);

    static Dictionary<string, Func<NetworkConfiguration, Neuron, Module>> Makers()
    {
        var makers = new Dictionary<string, Func<NetworkConfiguration, Neuron, Module>>();
        for (var depth = 8; depth <= DeepestCifar; depth += 6)
        {
            if (ImageNetDepths.Contains(depth)) continue;
            var cifarDepth = depth;
            makers[NameOf(depth)] = (c, neuron) => ResNet.Cifar(cifarDepth, c.Classes, neuron, c.Channels, c.Shortcut);
        }

        foreach (var depth in ImageNetDepths)
            makers[NameOf(depth)] = (c, neuron) => ResNet.ImageNet(depth, c.Classes, neuron, c.Channels);
        return makers;
    }

    static string NameOf(int depth) => string.Create(CultureInfo.InvariantCulture, $"resnet{depth}");
}
