using System.Text.Json;
using System.Text.Json.Serialization;
using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>A whole run in words: network, data and training. What stands here decides its bits, together with the device's kind.</summary>
public sealed record RunConfiguration
{
    /// <summary>The network; its input and classes are those of the data.</summary>
    public NetworkConfiguration Network { get; init; } = new();

    /// <summary>One of <see cref="Datasets.Registry"/> and values of its options, or the folder of <see cref="Pictures"/>.</summary>
    public Selection Data { get; init; } = "fashion-mnist-sample";

    /// <summary>Where the data set's files are; null for <see cref="Datasets.DefaultFolder"/>.</summary>
    public string? DataFolder { get; init; }

    /// <summary>How <see cref="Data"/>, a folder of pictures, becomes a data set; null where it is a data set that has a name.</summary>
    public PictureOptions? Pictures { get; init; }

    /// <summary>Learn from this number of its training images only: the first ones, of a folder evenly out of all classes; null for all.</summary>
    public int? TrainImages { get; init; }

    /// <summary>How it is trained.</summary>
    public TrainerOptions Training { get; init; } = new();

    /// <summary>Where: "cpu", "cuda:0", ...</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>A quadratic ResNet-20 of rank 3 on the embedded sample: minutes on two cores, without a download.</summary>
    public static RunConfiguration Main { get; } = new()
    {
        Network = new() { Neuron = "quadratic" },
        // Few epochs want many steps: batches of 64 reach in 5 what batches of 128 at twice the rate reach in 6, and start more steadily.
        Training = new() { Epochs = 5, BatchSize = 64, LearningRate = 0.05f, WarmUpEpochs = 1f, WeightDecay = 5e-4f, Augmentation = "flip" },
    };

    /// <summary>The main job on a data set, with the augmentation that suits its images.</summary>
    /// <param name="data">One of <see cref="Datasets.Registry"/>, and values of its options.</param>
    /// <exception cref="ArgumentException">There is no such data set; the message has those that there are.</exception>
    public static RunConfiguration ForDataset(Selection data) => Main with { Data = data, Training = Main.Training with { Augmentation = Datasets.Get(data).Augmentation } };

    /// <summary>What suits a folder of pictures: the main job's network, AdamW, as many epochs as make a training of it, pictures shifted and mirrored, labels smoothed.</summary>
    /// <param name="folder">A folder with a sub-folder for each class, or with train and val (or test) folders of that kind.</param>
    /// <param name="model">One of <see cref="Networks.Registry"/>; the main job's where it is left out.</param>
    /// <param name="size">Height and width of what the network sees; the pictures' own where it is left out, at most <see cref="InputForm.LargestSide"/>.</param>
    /// <param name="testShare">The share of each class that is held out where the folder has no val or test part.</param>
    /// <param name="seed">Of everything random, and of what is held out.</param>
    /// <param name="trainImages">Learn from this number of its training pictures only, which decides how often each is seen; null for all.</param>
    /// <exception cref="ArgumentException">The folder cannot be learned from; the message says why.</exception>
    /// <exception cref="InvalidFileException">Files are no pictures; the message names them.</exception>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public static RunConfiguration ForFolder(string folder, Selection? model = null, int? size = null, float testShare = FolderSplits.DefaultTestShare, ulong seed = 1, int? trainImages = null)
    {
        // A hundred pictures seen five times teach nothing: a small folder is seen as often as makes about 1,200 steps. AdamW, because it is further after
        // few steps than SGD is, at any rate; its weight decay and the smoothed labels, because a network soon knows a small folder by heart.
        const int steps = 1200, mostEpochs = 100, small = 1000, smallBatch = 16, batchOfMost = 32;

        var splits = FolderSplits.Open(folder, testShare, seed);
        var network = Main.Network with { Model = model ?? Main.Network.Model };
        var pictures = PictureOptions.For(splits, network.Model) with { TestShare = testShare, Seed = seed };
        if (size is { } given) pictures = pictures with { Size = given };
        var count = Math.Min(trainImages ?? int.MaxValue, splits.Train.Count);
        var batch = count < small ? smallBatch : batchOfMost;
        return Main with
        {
            Data = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)),
            Pictures = pictures,
            TrainImages = trainImages,
            Network = network,
            Training = Main.Training with
            {
                Epochs = Math.Clamp(steps * batch / Math.Max(1, count), Main.Training.Epochs, mostEpochs),
                BatchSize = batch,
                Optimizer = "adamw",
                LearningRate = 3e-3f,
                WeightDecay = 0.5f,
                LabelSmoothing = 0.1f,
                Augmentation = "crop-flip",
                Seed = seed,
            },
        };
    }

    /// <summary>The same with the values of all options of what it names, and the assemblies that these come from where they are not the engine's: what a file has to say.</summary>
    /// <exception cref="ArgumentException">A name is not known, or an option is not possible; the message says what is.</exception>
    public RunConfiguration Complete() => this with
    {
        Network = Network.Complete(),
        Data = Pictures is null ? Datasets.Registry.Complete(Data) : Data,
        Training = Training.Complete(),
    };
}

/// <summary>The config.json of a run whose network and data are in a program.</summary>
/// <param name="Program">What is trained, in a few words.</param>
sealed record ProgramConfiguration([property: JsonPropertyName("quadengineProgram")] string Program);

/// <summary>JSON of the records that files hold, without reflection.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, RespectNullableAnnotations = true,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(RunConfiguration))]
[JsonSerializable(typeof(ProgramConfiguration))]
[JsonSerializable(typeof(TrainingState))]
[JsonSerializable(typeof(NetworkConfiguration))]
[JsonSerializable(typeof(ImageDescription))]
sealed partial class ModelsJson : JsonSerializerContext
{
    static ModelsJson? compact;

    /// <summary>The same on one line.</summary>
    public static ModelsJson Compact => compact ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = false });
}
