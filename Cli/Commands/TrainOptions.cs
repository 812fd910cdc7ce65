using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary>The options of <c>quad train</c>, and the configuration that they make of the main job.</summary>
sealed class TrainOptions
{
    static readonly RunConfiguration main = RunConfiguration.Main;

    static readonly string[] augmentations = ["none", "flip", "crop", "crop-flip"];

    readonly NetworkOptions network = new(main.Network);
    readonly Option<string?> data = CommonOptions.Data(main.Data), dataFolder = CommonOptions.DataFolder();
    readonly Option<int?> imageSize = CommonOptions.ImageSize();
    readonly Option<float?> testShare = CommonOptions.Number<float>("--test-share", $"The share of a folder's pictures that is held out to judge by, where it has no val or test folder. Default: {FolderSplits.DefaultTestShare}", 0.01f, 0.99f);
    readonly Option<int?> images = CommonOptions.Number<int>("--images", "Learn from N training images only: the first N, of a folder N evenly out of all classes", 1, int.MaxValue);
    readonly Option<string?> augmentation = CommonOptions.Choice("--augment", "Random changes of training images", augmentations, "what suits the data");

    readonly Option<int?> epochs = CommonOptions.Number<int>("--epochs", $"Times that every image is seen. Default: {main.Training.Epochs}; of a folder as many as make about 1,200 steps of the pictures learned from, from {main.Training.Epochs} to 100", 1, 100_000);
    readonly Option<int?> batch = CommonOptions.Number<int>("--batch", $"Images of a step. Default: {main.Training.BatchSize}; of a folder 32, with fewer than 1,000 pictures 16", 1, 1 << 20);
    readonly Option<bool> dropLast = new("--drop-last") { Description = "Leave out the last batch of an epoch where it has fewer images than the others. Default: it is a step too; a single image joins the batch before it." };
    readonly Option<string?> optimizer = CommonOptions.Choice("--optimizer", "What turns gradients into updates", Names<OptimizerKind>(), $"{Name(main.Training.Optimizer)}, of a folder adamw");
    readonly Option<float?> learningRate = CommonOptions.Number<float>("--learning-rate", $"The highest learning rate. Default: {main.Training.LearningRate}, of adamw 0.001, of adamw on a folder 0.003", 1e-12f, 1e6f);
    readonly Option<string?> schedule = CommonOptions.Choice("--schedule", "How the learning rate falls; steps divides it by 10 at 1/2 and 3/4", Names<ScheduleKind>(), Name(main.Training.Schedule));
    readonly Option<float?> warmUp = CommonOptions.Number<float>("--warm-up", $"Epochs over which the learning rate rises first; may be a fraction. Default: {main.Training.WarmUpEpochs}", 0f, 100_000f);
    readonly Option<float?> momentum = CommonOptions.Number<float>("--momentum", $"Of sgd. Default: {main.Training.Momentum}", 0f, 0.9999f);
    readonly Option<bool> nesterov = new("--nesterov") { Description = "Nesterov's momentum." };
    readonly Option<float?> weightDecay = CommonOptions.Number<float>("--weight-decay", $"Of all weights but Lambda where that has its own. Default: {main.Training.WeightDecay}, of adamw on a folder 0.5", 0f, 100f);
    readonly Option<float?> smoothing = CommonOptions.Number<float>("--label-smoothing", "Share of each label that goes to all classes. Default: 0, of a folder 0.1", 0f, 0.99f);
    readonly Option<float?> clip = CommonOptions.Number<float>("--clip-norm", "Scale gradients down to this norm. Default: never", 1e-12f, 1e12f);

    readonly Option<float?> lambdaRate = CommonOptions.Number<float>("--lambda-learning-rate", $"Multiplies the learning rate of Lambda. Default: {new QuadraticOptions().LambdaLearningRate}", 0f, 1e6f);
    readonly Option<float?> lambdaDecay = CommonOptions.Number<float>("--lambda-weight-decay", "Weight decay of Lambda. Default: as the other weights", 0f, 100f);
    readonly Option<float?> lambdaDeviation = CommonOptions.Number<float>("--lambda-deviation", "Lambda starts with normal numbers of this deviation. Default: 0, exactly linear", 0f, 100f);
    readonly Option<string?> basis = CommonOptions.Choice("--basis", "What keeps Q orthonormal", Names<Basis>(), Name(main.Network.Quadratic.Basis));
    readonly Option<string?> retraction = CommonOptions.Choice("--retraction", "How Q is put back to orthonormal where the basis is retracted", Names<Retraction>(), Name(main.Network.Quadratic.Retraction));
    readonly Option<bool> unnormalised = new("--unnormalised") { Description = "s = 1 instead of 1/k." };
    readonly Option<bool> detached = new("--detached") { Description = "No gradient of y passes through f." };

    readonly Option<bool> recompute = new("--recompute") { Description = "Compute the projections of neurons again in backward instead of keeping them: less memory, more time." };

    readonly Option<long?> seed = CommonOptions.Number<long>("--seed", $"Of everything random. Default: {main.Training.Seed}", 0, long.MaxValue);
    readonly Option<int?> checkpointSteps = CommonOptions.Number<int>("--checkpoint-steps", "A checkpoint every N steps too, beside one an epoch", 1, int.MaxValue);
    readonly Option<double?> checkpointSeconds = CommonOptions.Number<double>("--checkpoint-seconds", $"A checkpoint every N seconds too. Default: {main.Training.CheckpointSeconds}", 0.001, 1e9);

    readonly Option<int?> telemetrySteps = CommonOptions.Number<int>("--telemetry", "Every N steps, write the norm, spectrum, effective rank, share and gradients of each quadratic layer to telemetry.csv", 1, int.MaxValue);

    public TrainOptions()
    {
        // As PyTorch's examples call them.
        learningRate.Aliases.Add("--lr");
        batch.Aliases.Add("--batch-size");
    }

    /// <summary>All that say what is trained and how, in the order of the help.</summary>
    public IReadOnlyList<Option> All =>
    [
        .. network.All, data, dataFolder, imageSize, testShare, images, augmentation,
        epochs, batch, dropLast, optimizer, learningRate, schedule, warmUp, momentum, nesterov, weightDecay, smoothing, clip,
        lambdaRate, lambdaDecay, lambdaDeviation, basis, retraction, unnormalised, detached, recompute,
        seed, checkpointSteps, checkpointSeconds, telemetrySteps,
    ];

    /// <summary>What suits the data, changed by what was given.</summary>
    public RunConfiguration Configuration(ParseResult parsed, Device device)
    {
        var usual = Usual(parsed);
        var optimizerKind = Parse(parsed, optimizer, usual.Training.Optimizer);
        var (rate, decay) = Rates(optimizerKind, usual.Training);
        return usual with
        {
            DataFolder = parsed.GetValue(dataFolder),
            TrainImages = parsed.GetValue(images),
            Device = device.Name,
            Network = Network(parsed),
            Training = usual.Training with
            {
                Epochs = parsed.GetValue(epochs) ?? usual.Training.Epochs,
                BatchSize = parsed.GetValue(batch) ?? usual.Training.BatchSize,
                DropLast = parsed.GetValue(dropLast),
                Optimizer = optimizerKind,
                LearningRate = parsed.GetValue(learningRate) ?? rate,
                Schedule = Parse(parsed, schedule, usual.Training.Schedule),
                WarmUpEpochs = parsed.GetValue(warmUp) ?? Math.Min(usual.Training.WarmUpEpochs, 0.2f * (parsed.GetValue(epochs) ?? usual.Training.Epochs)),
                Momentum = parsed.GetValue(momentum) ?? usual.Training.Momentum,
                Nesterov = parsed.GetValue(nesterov),
                WeightDecay = parsed.GetValue(weightDecay) ?? decay,
                LabelSmoothing = parsed.GetValue(smoothing) ?? usual.Training.LabelSmoothing,
                ClipNorm = parsed.GetValue(clip) ?? usual.Training.ClipNorm,
                Augmentation = parsed.GetValue(augmentation) is { } name ? Augment(name, usual.Pictures) : usual.Training.Augmentation,
                CheckpointSteps = parsed.GetValue(checkpointSteps),
                CheckpointSeconds = parsed.GetValue(checkpointSeconds) ?? usual.Training.CheckpointSeconds,
                TelemetrySteps = parsed.GetValue(telemetrySteps),
            },
        };
    }

    // Learning rate and weight decay belong to an optimizer: those of the data where it is the data's own, else those it most often has.
    static (float Rate, float Decay) Rates(OptimizerKind kind, TrainerOptions usual) =>
        kind == usual.Optimizer ? (usual.LearningRate, usual.WeightDecay)
        : kind == main.Training.Optimizer ? (main.Training.LearningRate, main.Training.WeightDecay)
        : (1e-3f, main.Training.WeightDecay);

    /// <summary>The main job on a data set, or what suits a folder of pictures.</summary>
    RunConfiguration Usual(ParseResult parsed)
    {
        var name = CommonOptions.Data(parsed, data) ?? main.Data;
        var seeded = (ulong?)parsed.GetValue(seed) ?? main.Training.Seed;
        if (!CommonOptions.IsNamed(name))
            return RunConfiguration.ForFolder(name, Network(parsed).Model, parsed.GetValue(imageSize), parsed.GetValue(testShare) ?? FolderSplits.DefaultTestShare, seeded, parsed.GetValue(images));
        if (parsed.GetValue(imageSize) is not null || parsed.GetValue(testShare) is not null)
            throw new ArgumentException($"{imageSize.Name} and {testShare.Name} are for a folder of pictures (--data DIR); {name} has its own size and test images");

        // Clothes and photographs may be mirrored, digits may not; photographs may be shifted too.
        var augmentation = name switch
        {
            "cifar10" or "cifar100" => Augmentation.PadCropFlip,
            "mnist" => Augmentation.None,
            _ => new(Flip: true),
        };
        return main with { Data = name, Training = main.Training with { Seed = seeded, Augmentation = augmentation } };
    }

    NetworkConfiguration Network(ParseResult parsed) => network.Configuration(parsed, main.Network) with
    {
        Recompute = parsed.GetValue(recompute),
        Quadratic = new()
        {
            Normalised = !parsed.GetValue(unnormalised),
            Detached = parsed.GetValue(detached),
            LambdaLearningRate = parsed.GetValue(lambdaRate) ?? main.Network.Quadratic.LambdaLearningRate,
            LambdaWeightDecay = parsed.GetValue(lambdaDecay) ?? main.Network.Quadratic.LambdaWeightDecay,
            LambdaDeviation = parsed.GetValue(lambdaDeviation) ?? main.Network.Quadratic.LambdaDeviation,
            Basis = Parse(parsed, basis, main.Network.Quadratic.Basis),
            Retraction = Parse(parsed, retraction, main.Network.Quadratic.Retraction),
        },
    };

    // An eighth of a side is the usual 4 of 32 pixels.
    static Augmentation Augment(string name, PictureOptions? pictures) => new(
        Padding: name.StartsWith("crop", StringComparison.OrdinalIgnoreCase) ? (pictures?.Size ?? 32) / 8 : 0,
        Flip: name.EndsWith("flip", StringComparison.OrdinalIgnoreCase));

    static T Parse<T>(ParseResult parsed, Option<string?> option, T otherwise) where T : struct, Enum =>
        parsed.GetValue(option) is { } name ? Enum.Parse<T>(name, ignoreCase: true) : otherwise;

    static string[] Names<T>() where T : struct, Enum => [.. Enum.GetValues<T>().Select(Name)];

    static string Name<T>(T value) where T : struct, Enum => value.ToString().ToLowerInvariant();
}
