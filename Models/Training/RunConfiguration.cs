using System.Text.Json;
using System.Text.Json.Serialization;
using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>A whole run in words: network, data and training. What stands here decides its bits, together with the device's kind.</summary>
public sealed record RunConfiguration
{
    /// <summary>The network; its input and classes are those of the data.</summary>
    public NetworkConfiguration Network { get; init; } = new();

    /// <summary>One of <see cref="Datasets.Names"/>.</summary>
    public string Data { get; init; } = "fashion-mnist-sample";

    /// <summary>Where the data set's files are; null for <see cref="Datasets.DefaultFolder"/>.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Learn from so many of its training images only, the first; null for all.</summary>
    public int? TrainImages { get; init; }

    /// <summary>How it is trained.</summary>
    public TrainerOptions Training { get; init; } = new();

    /// <summary>Where: "cpu", "cuda:0", ...</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>A quadratic ResNet-20 of rank 3 on the embedded sample: minutes on two cores, without a download.</summary>
    public static RunConfiguration Main { get; } = new()
    {
        Network = new() { Neuron = "quadratic", Rank = 3 },
        // Few epochs want many steps: batches of 64 reach in 5 what batches of 128 at twice the rate reach in 6, and start more steadily.
        Training = new() { Epochs = 5, BatchSize = 64, LearningRate = 0.05f, WarmUpEpochs = 1f, WeightDecay = 5e-4f, Augmentation = new(Flip: true) },
    };
}

/// <summary>JSON of the records that files hold, without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RunConfiguration))]
[JsonSerializable(typeof(TrainingState))]
[JsonSerializable(typeof(NetworkConfiguration))]
[JsonSerializable(typeof(ImageDescription))]
sealed partial class ModelsJson : JsonSerializerContext
{
    static ModelsJson? compact;

    /// <summary>The same on one line.</summary>
    public static ModelsJson Compact => compact ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = false });
}
