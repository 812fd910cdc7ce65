using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>The amount of work for an experiment.</summary>
public enum ExperimentSize
{
    /// <summary>Seconds: shows that everything runs. Its numbers mean nothing.</summary>
    Smoke,

    /// <summary>Minutes on two cores, on real but few images.</summary>
    Small,

    /// <summary>CIFAR-10 on a CPU: about ten minutes of one thread for each experiment, with a small network, a part of the images and a few epochs.</summary>
    Medium,

    /// <summary>The protocol of He et al. 2016 on CIFAR-10, for a GPU.</summary>
    Full,
}

/// <summary>The protocol of one size: data, network and training that all cells of an experiment share.</summary>
public sealed record ExperimentScale
{
    /// <summary>The size of the protocol.</summary>
    public required ExperimentSize Size { get; init; }

    /// <summary>The data set, one of <see cref="Datasets.Names"/>.</summary>
    public required string Data { get; init; }

    /// <summary>The number of training images, taken from the start; if the data set has fewer, all of them are used.</summary>
    public required int TrainImages { get; init; }

    /// <summary>The number of test images, taken from the start; if the data set has fewer, all of them are used.</summary>
    public required int TestImages { get; init; }

    /// <summary>The depth of the CIFAR ResNet, 6n + 2.</summary>
    public required int Depth { get; init; }

    /// <summary>The number of channels of its first stage.</summary>
    public required int Width { get; init; }

    /// <summary>The network in words; null for a ResNet.</summary>
    public string? Network { get; init; }

    /// <summary>How networks are trained, without the seed.</summary>
    public required TrainerOptions Training { get; init; }

    /// <summary>The seeds of the repetitions; each seed draws other weights and another order of images.</summary>
    public required IReadOnlyList<ulong> Seeds { get; init; }

    /// <summary>The device that trains the networks.</summary>
    public Device Device { get; init; } = Device.Cpu;

    /// <summary>Returns the protocol of a size.</summary>
    /// <param name="size">The amount of work.</param>
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

    /// <summary>Describes the protocol in lines. The rows of two runs can be joined if their lines are equal.</summary>
    /// <param name="data">The images that were loaded. There may be fewer than the protocol asks for.</param>
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
/// <param name="Train">The training images.</param>
/// <param name="Test">The test images.</param>
public sealed record ExperimentData(ImageDataset Train, ImageDataset Test)
{
    /// <summary>Loads the images that a protocol asks for.</summary>
    /// <param name="scale">The protocol, with the data set and the numbers of images.</param>
    /// <param name="folder">The folder with the files of the data set; null for <see cref="Datasets.DefaultFolder"/>.</param>
    /// <exception cref="FileNotFoundException">The files of the data set are missing; the message says which files belong where.</exception>
    public static ExperimentData Load(ExperimentScale scale, string? folder = null)
    {
        var splits = Datasets.Load(scale.Data, folder);
        return new(splits.Train.Take(Math.Min(scale.TrainImages, splits.Train.Count)), splits.Test.Take(Math.Min(scale.TestImages, splits.Test.Count)));
    }

    /// <summary>The shape of one image, [1, H, W, C].</summary>
    public Shape InputShape => [1, Train.Height, Train.Width, Train.Channels];

    /// <summary>Makes a network of the protocol for these images, with weights drawn from a seed.</summary>
    /// <param name="scale">The protocol, with depth, width and device.</param>
    /// <param name="seed">The seed of a new <see cref="Generator.Default"/>, which draws the weights.</param>
    /// <param name="neuron">The neuron of the convolutions in the blocks.</param>
    /// <param name="neuronOf">The neurons of single layers, by path (<see cref="ResNetOptions.NeuronOf"/>); null for none.</param>
    /// <param name="depth">The depth, 6n + 2; null for the protocol's.</param>
    /// <param name="width">The number of channels of the first stage; null for the protocol's.</param>
    public ResNet Network(ExperimentScale scale, ulong seed, Neuron neuron, IReadOnlyDictionary<string, Neuron>? neuronOf = null, int? depth = null, int? width = null)
    {
        Generator.Default = new Generator(seed);
        return ResNet.Cifar(depth ?? scale.Depth, Train.Classes, neuron, Train.Channels, width: width ?? scale.Width, neuronOf: neuronOf).To(scale.Device);
    }
}
