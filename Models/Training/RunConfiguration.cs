using System.Text.Json;
using System.Text.Json.Serialization;
using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>The configuration of a whole run: network, data and training. It decides every bit of the run, together with the kind of the device.</summary>
public sealed record RunConfiguration
{
    /// <summary>The network; its input and classes match the data.</summary>
    public NetworkConfiguration Network { get; init; } = new();

    /// <summary>The data set: an entry of <see cref="Datasets.Registry"/> and values of its options, or the folder of <see cref="Pictures"/>.</summary>
    public Selection Data { get; init; } = "fashion-mnist-sample";

    /// <summary>The folder of the data set's files; null for <see cref="Datasets.DefaultFolder"/>.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Options for making a data set from <see cref="Data"/> if that is a folder of pictures; null if it is a data set with a name.</summary>
    public PictureOptions? Pictures { get; init; }

    /// <summary>The number of training images to use: the first ones, and for a folder evenly from all classes. Null for all images.</summary>
    public int? TrainImages { get; init; }

    /// <summary>The options of the training.</summary>
    public TrainerOptions Training { get; init; } = new();

    /// <summary>The device: "cpu", "cuda:0", ...</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>The main job: a quadratic ResNet-20 of rank 3 on the embedded sample. It takes minutes on two cores and needs no download.</summary>
    public static RunConfiguration Main { get; } = new()
    {
        Network = new() { Neuron = "quadratic" },
        // Few epochs need many steps: batches of 64 reach in 5 epochs what batches of 128 at twice the rate reach in 6, and they start more steadily.
        Training = new() { Epochs = 5, BatchSize = 64, LearningRate = 0.05f, WarmUpEpochs = 1f, WeightDecay = 5e-4f, Augmentation = "flip" },
    };

    /// <summary>Returns the main job on a data set, with the augmentation that suits its images.</summary>
    /// <param name="data">An entry of <see cref="Datasets.Registry"/>, and values of its options.</param>
    /// <exception cref="ArgumentException">The data set is unknown; the message names the known data sets.</exception>
    public static RunConfiguration ForDataset(Selection data) => Main with { Data = data, Training = Main.Training with { Augmentation = Datasets.Get(data).Augmentation } };

    /// <summary>Returns a configuration that suits a folder of pictures: the main job's network, AdamW, enough epochs for a training, shifted and mirrored pictures, and smoothed labels.</summary>
    /// <param name="folder">A folder with a sub-folder for each class, or with train and val (or test) folders that contain such sub-folders.</param>
    /// <param name="model">An entry of <see cref="Networks.Registry"/>; null for the main job's network.</param>
    /// <param name="size">The height and width of the images that the network sees; null for the pictures' own size, at most <see cref="InputForm.LargestSide"/>.</param>
    /// <param name="testShare">The share of each class that is held out for the evaluation if the folder has no val or test part.</param>
    /// <param name="seed">The seed of all random numbers, and of the choice of the pictures that are held out.</param>
    /// <param name="trainImages">The number of training pictures to use, which also decides the number of epochs; null for all pictures.</param>
    /// <exception cref="ArgumentException">The folder is not suitable for training; the message says why.</exception>
    /// <exception cref="InvalidFileException">Some files are not pictures; the message names them.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    public static RunConfiguration ForFolder(string folder, Selection? model = null, int? size = null, float testShare = FolderSplits.DefaultTestShare, ulong seed = 1, int? trainImages = null)
    {
        // A network learns nothing from five epochs of a hundred pictures, so a small folder gets enough epochs for about 1,200 steps. AdamW is further after
        // few steps than SGD at any rate. Its weight decay and the smoothed labels are needed because a network soon knows a small folder by heart.
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

    /// <summary>Returns the configuration as a file must store it: with the values of all options, and with the assemblies of its entries if these are not the engine's own.</summary>
    /// <exception cref="ArgumentException">A name is unknown, or an option is not possible; the message says what is possible.</exception>
    public RunConfiguration Complete() => this with
    {
        Network = Network.Complete(),
        Data = Pictures is null ? Datasets.Registry.Complete(Data) : Data,
        Training = Training.Complete(),
    };
}

/// <summary>The config.json of a run whose network and data are part of a program.</summary>
/// <param name="Program">A short description of what is trained.</param>
sealed record ProgramConfiguration([property: JsonPropertyName("quadengineProgram")] string Program);

/// <summary>The JSON form of the records that files hold, without reflection.</summary>
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

    /// <summary>The same JSON on one line.</summary>
    public static ModelsJson Compact => compact ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = false });
}
