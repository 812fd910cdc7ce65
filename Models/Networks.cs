using System.Text.Json.Serialization;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A network in words: enough to build it again from a file.</summary>
public sealed record NetworkConfiguration
{
    /// <summary>One of <see cref="Networks.Registry"/>, and values of its options.</summary>
    public Selection Model { get; init; } = "resnet20";

    /// <summary>The neuron of the network's hidden layers, one of <see cref="Neurons.Registry"/>, and values of its options.</summary>
    public Selection Neuron { get; init; } = "linear";

    /// <summary>Keep only the input of each layer of neurons for backward, and compute its projections again there: less memory, more time.</summary>
    public bool Recompute { get; init; }

    /// <summary>Height of the images.</summary>
    public int Height { get; init; } = 32;

    /// <summary>Width of the images.</summary>
    public int Width { get; init; } = 32;

    /// <summary>Channels of the images.</summary>
    public int Channels { get; init; } = 3;

    /// <summary>Classes to tell apart.</summary>
    public int Classes { get; init; } = 10;

    /// <summary>[N, H, W, C].</summary>
    /// <param name="images">N.</param>
    public Shape InputShape(int images = 1) => [images, Height, Width, Channels];

    /// <summary>The network, its weights drawn from <see cref="Generator.Default"/>.</summary>
    /// <exception cref="ArgumentException">Model or neuron is not known, or one of their options is not possible; the message says what is.</exception>
    public Module Build() => Networks.Create(this);

    /// <summary>The same with the values of all options, and the assemblies that model and neuron come from where these are not the engine's: what a file has to say.</summary>
    /// <exception cref="ArgumentException">Model or neuron is not known, or one of their options is not possible; the message says what is.</exception>
    public NetworkConfiguration Complete() => this with { Model = Networks.Registry.Complete(Model), Neuron = Neurons.Registry.Complete(Neuron) };

    /// <summary>"resnet20", or "resnet20-quadratic3" where the neuron is not linear.</summary>
    [JsonIgnore]
    public string Title => Neuron.Name == Neurons.Linear.Name ? Model.Name : $"{Model.Name}-{Neurons.Get(Neuron).Title}";
}

/// <summary>The images that a network is made for.</summary>
/// <param name="Side">Height and width of its images in the usual data sets.</param>
/// <param name="LargestSide">The largest height and width to which the pictures of a folder are resized unless a size is asked for.</param>
/// <param name="Share">Side of the part of a picture that it sees when it judges, by side of the largest centred square.</param>
/// <param name="Classes">Classes of the usual data sets.</param>
public sealed record InputForm(int Side, int LargestSide, float Share, int Classes)
{
    /// <summary>Small images, seen whole, as those of CIFAR are.</summary>
    public static InputForm Small { get; } = new(32, 64, 1f, 10);

    /// <summary>Photographs, of which 0.875 is seen, as those of ImageNet are.</summary>
    public static InputForm Large { get; } = new(224, 224, 0.875f, 1000);
}

/// <summary>A network that a run can name. A class of your own makes it one: see <see cref="Networks.Registry"/>.</summary>
/// <param name="name">See <see cref="Entry.Name"/>.</param>
/// <param name="help">See <see cref="Entry.Help"/>.</param>
public abstract class NetworkEntry(string name, string help) : Entry(name, help)
{
    /// <summary>The images that it is made for; small ones unless it says otherwise.</summary>
    public virtual InputForm Input => InputForm.Small;

    /// <summary>Whether its layers can be made of any neuron. Where false, no other neuron than "linear" can be asked for.</summary>
    public virtual bool TakesNeurons => true;

    /// <summary>The network, [N, H, W, C] to logits [N, classes], its weights drawn from <see cref="Generator.Default"/>.</summary>
    /// <param name="network">The images, the classes, and in <see cref="NetworkConfiguration.Model"/> the values of <see cref="Entry.Options"/>.</param>
    /// <param name="neuron">The neuron of its hidden layers.</param>
    public abstract Module Make(NetworkConfiguration network, Neuron neuron);
}

/// <summary>The networks by name.</summary>
public static class Networks
{
    /// <summary>
    /// The engine's own networks (ResNets in the CIFAR form, of depth 6n + 2, and resnet18, resnet34 and resnet50 in the ImageNet form), and those that were
    /// added. One of your own is a class, registered once:
    /// <code>Networks.Registry.Register(new Perceptron());</code>
    /// </summary>
    public static Registry<NetworkEntry> Registry { get; } = new("network", ResNetEntry.All());

    /// <summary>Their names.</summary>
    public static IReadOnlyList<string> Names => Registry.Names;

    /// <summary>Builds a network, its weights drawn from <see cref="Generator.Default"/>.</summary>
    /// <param name="configuration">Of the network.</param>
    /// <exception cref="ArgumentException">Model or neuron is not known, or one of their options is not possible; the message says what is.</exception>
    public static Module Create(NetworkConfiguration configuration)
    {
        var entry = Registry.Get(configuration.Model);
        var complete = configuration.Complete();
        Check.That(entry.TakesNeurons || complete.Neuron.Name == Neurons.Linear.Name, nameof(Networks),
            $"the network \"{entry.Name}\" has its own layers and takes no neuron, got \"{complete.Neuron.Name}\"; leave the neuron out.");
        return entry.Make(complete, Neurons.Get(complete.Neuron) with { Recompute = complete.Recompute });
    }
}
