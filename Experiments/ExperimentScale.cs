using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>How much is spent on an experiment.</summary>
public enum ExperimentSize
{
    /// <summary>Seconds: shows that everything runs. Its figures mean nothing.</summary>
    Smoke,

    /// <summary>Minutes on two cores, on real but few images.</summary>
    Small,

    /// <summary>CIFAR-10 on a CPU: ten minutes or so a thread and experiment, with a small network, a part of the images and a few epochs.</summary>
    Medium,

    /// <summary>The protocol of He et al. 2016 on CIFAR-10, for a GPU.</summary>
    Full,
}

/// <summary>The protocol of one size: data, network and training that all cells of an experiment share.</summary>
public sealed record ExperimentScale
{
    /// <summary>The size it stands for.</summary>
    public required ExperimentSize Size { get; init; }

    /// <summary>One of <see cref="Datasets.Names"/>.</summary>
    public required string Data { get; init; }

    /// <summary>The first so many training images; all where there are fewer.</summary>
    public required int TrainImages { get; init; }

    /// <summary>The first so many test images; all where there are fewer.</summary>
    public required int TestImages { get; init; }

    /// <summary>Of the CIFAR ResNet, 6n + 2.</summary>
    public required int Depth { get; init; }

    /// <summary>Channels of its first stage.</summary>
    public required int Width { get; init; }

    /// <summary>The network in words, where it is no ResNet.</summary>
    public string? Network { get; init; }

    /// <summary>How networks are trained, but for the seed.</summary>
    public required TrainerOptions Training { get; init; }

    /// <summary>Repetitions; each seed draws other weights and another order of images.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>Where networks are trained.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>The protocol of a size.</summary>
    /// <param name="size">How much is spent.</param>
    public static ExperimentScale Of(ExperimentSize size) => size switch
    {
        ExperimentSize.Smoke => new()
        {
            Size = size, Data = "fashion-mnist-sample", TrainImages = 64, TestImages = 64, Depth = 8, Width = 4, Seeds = [1, 2],
            Training = new TrainerOptions { Epochs = 1, BatchSize = 32, LearningRate = 0.05f },
        },
        ExperimentSize.Small => new()
        {
            Size = size, Data = "fashion-mnist-sample", TrainImages = 2000, TestImages = 1000, Depth = 8, Width = 8, Seeds = [1, 2, 3],
            Training = new TrainerOptions { Epochs = 6, BatchSize = 64, LearningRate = 0.1f, WarmUpEpochs = 0.5f },
        },
        ExperimentSize.Medium => new()
        {
            Size = size, Data = "cifar10", TrainImages = 8_000, TestImages = 4_000, Depth = 8, Width = 8, Seeds = [1, 2, 3],
            Training = new TrainerOptions { Epochs = 5, BatchSize = 64, LearningRate = 0.1f, WarmUpEpochs = 0.5f },
        },
        ExperimentSize.Full => new()
        {
            Size = size, Data = "cifar10", TrainImages = int.MaxValue, TestImages = int.MaxValue, Depth = 20, Width = 16, Seeds = [1, 2, 3, 4, 5],
            Training = new TrainerOptions { Epochs = 164, BatchSize = 128, LearningRate = 0.1f, Schedule = "steps", Augmentation = "crop-flip" },
        },
        _ => throw Unknown(size),
    };

    internal static ArgumentException Unknown(ExperimentSize size) => new($"no size {size} (known: {string.Join(", ", Enum.GetNames<ExperimentSize>())})");

    /// <summary>The protocol in words, a line each; two runs of equal lines can be joined.</summary>
    /// <param name="data">The images as they were loaded: there may be fewer than were asked for.</param>
    public IReadOnlyList<(string Name, string Value)> Describe(ExperimentData data) =>
    [
        ("size", Size.ToString().ToLowerInvariant()),
        ("data", $"{Data}: {data.Train.Count:N0} training and {data.Test.Count:N0} test images of {data.Train.Height}x{data.Train.Width}x{data.Train.Channels}"),
        ("network", Network ?? $"CIFAR ResNet-{Depth} of width {Width}, shortcut A, unless a setting says otherwise"),
        ("training", $"{Training.Epochs} epochs, batch {Training.BatchSize}, {Optimizers.Registry.Complete(Training.Optimizer)} at {Training.LearningRate}, {Training.Schedule} schedule, weight decay {Training.WeightDecay}, augmentation {Training.Augmentation}"),
        ("seeds", string.Join(", ", Seeds)),
        ("reported", "the last epoch, never the best"),
    ];
}

/// <summary>The images of an experiment.</summary>
/// <param name="Train">Images to learn from.</param>
/// <param name="Test">Images to judge by.</param>
public sealed record ExperimentData(ImageDataset Train, ImageDataset Test)
{
    /// <summary>Loads what a protocol asks for.</summary>
    /// <param name="scale">Names the data set, and how many of its images are taken.</param>
    /// <param name="folder">The folder with its files; <see cref="Datasets.DefaultFolder"/> where null.</param>
    /// <exception cref="FileNotFoundException">The data set's files are not there; the message says which to put where.</exception>
    public static ExperimentData Load(ExperimentScale scale, string? folder = null)
    {
        var splits = Datasets.Load(scale.Data, folder);
        return new(splits.Train.Take(Math.Min(scale.TrainImages, splits.Train.Count)), splits.Test.Take(Math.Min(scale.TestImages, splits.Test.Count)));
    }

    /// <summary>[1, H, W, C].</summary>
    public Shape InputShape => [1, Train.Height, Train.Width, Train.Channels];

    /// <summary>A network of the protocol for these images, its weights drawn from a seed.</summary>
    /// <param name="scale">Gives depth, width and device.</param>
    /// <param name="seed">Of a new <see cref="Generator.Default"/>, which draws the weights.</param>
    /// <param name="neuron">Of the convolutions in the blocks.</param>
    /// <param name="neuronOf">Of single layers by path (<see cref="ResNetOptions.NeuronOf"/>); null for none.</param>
    /// <param name="depth">6n + 2; the protocol's where null.</param>
    /// <param name="width">Channels of the first stage; the protocol's where null.</param>
    public ResNet Network(ExperimentScale scale, ulong seed, Neuron neuron, IReadOnlyDictionary<string, Neuron>? neuronOf = null, int? depth = null, int? width = null)
    {
        Generator.Default = new Generator(seed);
        return ResNet.Cifar(depth ?? scale.Depth, Train.Classes, neuron, Train.Channels, width: width ?? scale.Width, neuronOf: neuronOf).To(scale.Device);
    }
}
