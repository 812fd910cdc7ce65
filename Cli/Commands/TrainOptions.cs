using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary>The options of <c>quad train</c>, and the configuration that they make of the main job.</summary>
sealed class TrainOptions
{
    static readonly Dictionary<string, Augmentation> augmentations = new(StringComparer.OrdinalIgnoreCase)
    {
        ["none"] = Augmentation.None,
        ["flip"] = new(Flip: true),
        ["crop"] = new(Padding: 4),
        ["crop-flip"] = Augmentation.PadCropFlip,
    };

    static readonly RunConfiguration main = RunConfiguration.Main;

    readonly NetworkOptions network = new();
    readonly Option<string?> data = CommonOptions.Data(), dataFolder = CommonOptions.DataFolder();
    readonly Option<int?> images = CommonOptions.Number<int>("--images", "Learn from the first N training images only", 1, int.MaxValue);
    readonly Option<string?> augmentation = CommonOptions.Choice("--augment", "Random changes of training images", [.. augmentations.Keys]);

    readonly Option<int?> epochs = CommonOptions.Number<int>("--epochs", $"Times that every image is seen. Default: {main.Training.Epochs}", 1, 100_000);
    readonly Option<int?> batch = CommonOptions.Number<int>("--batch", $"Images of a step. Default: {main.Training.BatchSize}", 1, 1 << 20);
    readonly Option<string?> optimizer = CommonOptions.Choice("--optimizer", "The optimizer", Names<OptimizerKind>());
    readonly Option<float?> learningRate = CommonOptions.Number<float>("--learning-rate", $"The highest learning rate. Default: {main.Training.LearningRate}, of adamw 0.001", 1e-12f, 1e6f);
    readonly Option<string?> schedule = CommonOptions.Choice("--schedule", "How the learning rate falls: steps divides it by 10 at 1/2 and 3/4", Names<ScheduleKind>());
    readonly Option<float?> warmUp = CommonOptions.Number<float>("--warm-up", $"Epochs over which the learning rate rises first; may be a fraction. Default: {main.Training.WarmUpEpochs}", 0f, 100_000f);
    readonly Option<float?> momentum = CommonOptions.Number<float>("--momentum", $"Of sgd. Default: {main.Training.Momentum}", 0f, 0.9999f);
    readonly Option<bool> nesterov = new("--nesterov") { Description = "Nesterov's momentum." };
    readonly Option<float?> weightDecay = CommonOptions.Number<float>("--weight-decay", $"Of all weights but Lambda where that has its own. Default: {main.Training.WeightDecay}", 0f, 100f);
    readonly Option<float?> smoothing = CommonOptions.Number<float>("--label-smoothing", "Share of each label that goes to all classes. Default: 0", 0f, 0.99f);
    readonly Option<float?> clip = CommonOptions.Number<float>("--clip-norm", "Scale gradients down to this norm. Default: never", 1e-12f, 1e12f);

    readonly Option<float?> lambdaRate = CommonOptions.Number<float>("--lambda-learning-rate", $"Multiplies the learning rate of Lambda. Default: {new QuadraticOptions().LambdaLearningRate}", 0f, 1e6f);
    readonly Option<float?> lambdaDecay = CommonOptions.Number<float>("--lambda-weight-decay", "Weight decay of Lambda. Default: as the other weights", 0f, 100f);
    readonly Option<float?> lambdaDeviation = CommonOptions.Number<float>("--lambda-deviation", "Lambda starts with normal numbers of this deviation. Default: 0, exactly linear", 0f, 100f);
    readonly Option<string?> basis = CommonOptions.Choice("--basis", "What keeps Q orthonormal", Names<Basis>());
    readonly Option<string?> retraction = CommonOptions.Choice("--retraction", "How Q is put back to orthonormal where the basis is retracted", Names<Retraction>());
    readonly Option<bool> unnormalised = new("--unnormalised") { Description = "s = 1 instead of 1/k." };
    readonly Option<bool> detached = new("--detached") { Description = "No gradient of y passes through f." };

    readonly Option<bool> recompute = new("--recompute") { Description = "Compute the projections of neurons again in backward instead of keeping them: less memory, more time." };

    readonly Option<long?> seed = CommonOptions.Number<long>("--seed", $"Of everything random. Default: {main.Training.Seed}", 0, long.MaxValue);
    readonly Option<int?> checkpointSteps = CommonOptions.Number<int>("--checkpoint-steps", "A checkpoint every N steps too, beside one an epoch", 1, int.MaxValue);
    readonly Option<double?> checkpointSeconds = CommonOptions.Number<double>("--checkpoint-seconds", $"A checkpoint every N seconds too. Default: {main.Training.CheckpointSeconds}", 0.001, 1e9);

    readonly Option<int?> telemetrySteps = CommonOptions.Number<int>("--telemetry", "Every N steps, write the norm, spectrum, effective rank, share and gradients of each quadratic layer to telemetry.csv", 1, int.MaxValue);

    /// <summary>All that say what is trained and how, in the order of the help.</summary>
    public IReadOnlyList<Option> All =>
    [
        .. network.All, data, dataFolder, images, augmentation,
        epochs, batch, optimizer, learningRate, schedule, warmUp, momentum, nesterov, weightDecay, smoothing, clip,
        lambdaRate, lambdaDecay, lambdaDeviation, basis, retraction, unnormalised, detached, recompute,
        seed, checkpointSteps, checkpointSeconds, telemetrySteps,
    ];

    /// <summary>The main job, changed by what was given.</summary>
    public RunConfiguration Configuration(ParseResult parsed, Device device)
    {
        var dataName = parsed.GetValue(data)?.ToLowerInvariant() ?? main.Data;
        var optimizerKind = Parse(parsed, optimizer, main.Training.Optimizer);
        return main with
        {
            Data = dataName,
            DataFolder = parsed.GetValue(dataFolder),
            TrainImages = parsed.GetValue(images),
            Device = device.Name,
            Network = Network(parsed),
            Training = main.Training with
            {
                Epochs = parsed.GetValue(epochs) ?? main.Training.Epochs,
                BatchSize = parsed.GetValue(batch) ?? main.Training.BatchSize,
                Optimizer = optimizerKind,
                LearningRate = parsed.GetValue(learningRate) ?? (optimizerKind == OptimizerKind.AdamW ? 1e-3f : main.Training.LearningRate),
                Schedule = Parse(parsed, schedule, main.Training.Schedule),
                WarmUpEpochs = parsed.GetValue(warmUp) ?? Math.Min(main.Training.WarmUpEpochs, 0.2f * (parsed.GetValue(epochs) ?? main.Training.Epochs)),
                Momentum = parsed.GetValue(momentum) ?? main.Training.Momentum,
                Nesterov = parsed.GetValue(nesterov),
                WeightDecay = parsed.GetValue(weightDecay) ?? main.Training.WeightDecay,
                LabelSmoothing = parsed.GetValue(smoothing) ?? main.Training.LabelSmoothing,
                ClipNorm = parsed.GetValue(clip) ?? main.Training.ClipNorm,
                Augmentation = parsed.GetValue(augmentation) is { } name ? augmentations[name] : Usual(dataName),
                Seed = (ulong?)parsed.GetValue(seed) ?? main.Training.Seed,
                CheckpointSteps = parsed.GetValue(checkpointSteps),
                CheckpointSeconds = parsed.GetValue(checkpointSeconds) ?? main.Training.CheckpointSeconds,
                TelemetrySteps = parsed.GetValue(telemetrySteps),
            },
        };
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

    // Clothes and photographs may be mirrored, digits may not; photographs may be shifted too.
    static Augmentation Usual(string data) => augmentations[data switch
    {
        "cifar10" or "cifar100" => "crop-flip",
        "mnist" => "none",
        _ => "flip",
    }];

    static T Parse<T>(ParseResult parsed, Option<string?> option, T otherwise) where T : struct, Enum =>
        parsed.GetValue(option) is { } name ? Enum.Parse<T>(name, ignoreCase: true) : otherwise;

    static string[] Names<T>() where T : struct, Enum => [.. Enum.GetNames<T>().Select(name => name.ToLowerInvariant())];
}
