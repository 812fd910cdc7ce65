using System.Text.Json.Serialization;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A description of a network that is sufficient to build it from a file.</summary>
public sealed record NetworkConfiguration
{
    /// <summary>The network: an entry of <see cref="Networks.Registry"/>, and values of its options.</summary>
    public Selection Model { get; init; } = "resnet20";

    /// <summary>The neuron of the network's hidden layers: an entry of <see cref="Neurons.Registry"/>, and values of its options.</summary>
    public Selection Neuron { get; init; } = "linear";

    /// <summary>Whether each layer of neurons keeps only its input for backward, which computes the projections again. This takes less memory and more time.</summary>
    public bool Recompute { get; init; }

    /// <summary>The height of the images.</summary>
    public int Height { get; init; } = 32;

    /// <summary>The width of the images.</summary>
    public int Width { get; init; } = 32;

    /// <summary>The number of channels of the images.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>The number of classes.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>Returns the shape [N, H, W, C] of inputs.</summary>
    /// <param name="images">The number of images N.</param>
    public Shape InputShape(int images = 1) => [images, Height, Width, Channels];

    /// <summary>Builds the network. Its weights are drawn from <see cref="Generator.Default"/>.</summary>
    /// <exception cref="ArgumentException">The model or the neuron is unknown, or one of their options is not possible; the message says what is possible.</exception>
    public Module Build() => Networks.Create(this);

    /// <summary>Returns the configuration as a file must store it: with the values of all options, and with the assemblies of model and neuron if these are not the engine's own.</summary>
    /// <exception cref="ArgumentException">The model or the neuron is unknown, or one of their options is not possible; the message says what is possible.</exception>
    public NetworkConfiguration Complete() => this with { Model = Networks.Registry.Complete(Model), Neuron = Neurons.Registry.Complete(Neuron) };

    /// <summary>A short name: "resnet20", or "resnet20-quadratic3" if the neuron is not linear.</summary>
    [JsonIgnore]
    public string Title => Neuron.Name == Neurons.Linear.Name ? Model.Name : $"{Model.Name}-{Neurons.Get(Neuron).Title}";
}

/// <summary>The form of the images that a network is made for.</summary>
/// <param name="Side">The height and width of the images in the usual data sets.</param>
/// <param name="LargestSide">The largest height and width to which pictures of a folder are resized if no size is given.</param>
/// <param name="Share">The side of the part of a picture that the network sees in an evaluation, divided by the side of the largest centered square.</param>
/// <param name="Classes">The number of classes of the usual data sets.</param>
public sealed record InputForm(int Side, int LargestSide, float Share, int Classes)
{
    /// <summary>Small images that the network sees whole, as in CIFAR.</summary>
    public static InputForm Small { get; } = new(32, 64, 1f, 10);

    /// <summary>Photographs of which the network sees 0.875 of each side, as in ImageNet.</summary>
    public static InputForm Large { get; } = new(224, 224, 0.875f, 1000);
}

/// <summary>A network that a run can name. To add your own, derive a class and register it: see <see cref="Networks.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class NetworkEntry(string name, string help) : Entry(name, help)
{
    /// <summary>The form of the images that the network is made for; small images by default.</summary>
    public virtual InputForm Input => InputForm.Small;

    /// <summary>Whether the layers of the network can be made of any neuron. If false, only the neuron "linear" can be requested.</summary>
    public virtual bool TakesNeurons => true;

    /// <summary>Builds the network, [N, H, W, C] to logits [N, classes]. Its weights are drawn from <see cref="Generator.Default"/>.</summary>
    /// <param name="network">The images, the classes, and in <see cref="NetworkConfiguration.Model"/> the values of <see cref="Entry.Options"/>.</param>
    /// <param name="neuron">The neuron of its hidden layers.</param>
    public abstract Module Make(NetworkConfiguration network, Neuron neuron);
}

/// <summary>The networks by name.</summary>
public static class Networks
{
    /// <summary>
    /// The engine's own networks (ResNets in the CIFAR form, of depth 6n + 2, and resnet18, resnet34 and resnet50 in the ImageNet form) and the networks that were
    /// added. Register a class of your own once:
    /// <code>Networks.Registry.Register(new Perceptron());</code>
    /// </summary>
    public static Registry<NetworkEntry> Registry { get; } = new("network", ResNetEntry.All());

    /// <summary>The names of the networks.</summary>
    public static IReadOnlyList<string> Names => Registry.Names;

    /// <summary>Builds a network. Its weights are drawn from <see cref="Generator.Default"/>.</summary>
    /// <param name="configuration">The configuration of the network.</param>
    /// <exception cref="ArgumentException">The model or the neuron is unknown, or one of their options is not possible; the message says what is possible.</exception>
    public static Module Create(NetworkConfiguration configuration)
    {
        var entry = Registry.Get(configuration.Model);
        var complete = configuration.Complete();
        Check.That(entry.TakesNeurons || complete.Neuron.Name == Neurons.Linear.Name, nameof(Networks),
            $"the network \"{entry.Name}\" has its own layers and takes no neuron, got \"{complete.Neuron.Name}\"; leave the neuron out.");
        return entry.Make(complete, Neurons.Get(complete.Neuron) with { Recompute = complete.Recompute });
    }
}
