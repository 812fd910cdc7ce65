using System.CommandLine;
using QuadEngine.Data;
using QuadEngine.Models;

namespace QuadEngine.Cli.Commands;

/// <summary>The options of <c>quad train</c>, and the run configuration that they give.</summary>
sealed class TrainOptions
{
    static readonly RunConfiguration main = RunConfiguration.Main;

    readonly NetworkOptions network = new(main.Network);
    readonly EntryFlags entries = new(otherwise: null, EntryFlags.Registries);
    readonly Option<string?> data = CommonOptions.Data(main.Data.Name), dataFolder = CommonOptions.DataFolder();
    readonly Option<int?> imageSize = CommonOptions.ImageSize();
    readonly Option<float?> testShare = CommonOptions.Number<float>("--test-share", $"The share of a folder's pictures that is held out as test images, if it has no val or test folder. Default: {FolderSplits.DefaultTestShare}", 0.01f, 0.99f);
    readonly Option<int?> images = CommonOptions.Number<int>("--images", "Train on N images only: the first N of a data set, or N of a folder, taken evenly from all classes", 1, int.MaxValue);
    readonly Option<string?> augmentation = CommonOptions.Choice("--augment", "Random changes of training images", Augmentations.Registry, "what suits the data");

    readonly Option<int?> epochs = CommonOptions.Number<int>("--epochs", $"The number of times that every image is seen. Default: {main.Training.Epochs}; for a folder the number that makes about 1,200 steps, from {main.Training.Epochs} to 100", 1, 100_000);
    readonly Option<int?> batch = CommonOptions.Number<int>("--batch", $"The number of images in a step. Default: {main.Training.BatchSize}; for a folder 32, or 16 if it has fewer than 1,000 pictures", 1, 1 << 20);
    readonly Option<bool> dropLast = new("--drop-last") { Description = "Leave out the last batch of an epoch if it has fewer images than the others. Default: it is a step too; a single image is added to the batch before it." };
    readonly Option<string?> optimizer = CommonOptions.Choice("--optimizer", "The rule that turns gradients into updates", Optimizers.Registry, $"{main.Training.Optimizer.Name}, for a folder adamw");
    readonly Option<float?> learningRate = CommonOptions.Number<float>("--learning-rate", $"The highest learning rate. Default: {Usually(optimizer => optimizer.LearningRate)}; for adamw on a folder 0.003", 1e-12f, 1e6f);
    readonly Option<string?> schedule = CommonOptions.Choice("--schedule", "How the learning rate changes over the steps", Schedules.Registry, main.Training.Schedule.Name);
    readonly Option<float?> warmUp = CommonOptions.Number<float>("--warm-up", $"Epochs over which the learning rate rises first; may be a fraction. Default: {main.Training.WarmUpEpochs}", 0f, 100_000f);
    readonly Option<float?> weightDecay = CommonOptions.Number<float>("--weight-decay", $"The weight decay of all weights, except of Lambda if it has its own. Default: {Usually(optimizer => optimizer.WeightDecay)}; for adamw on a folder 0.5", 0f, 100f);
    readonly Option<float?> smoothing = CommonOptions.Number<float>("--label-smoothing", "The share of each label that is spread over all classes. Default: 0, for a folder 0.1", 0f, 0.99f);
    readonly Option<float?> clip = CommonOptions.Number<float>("--clip-norm", "Scale gradients down to this norm. Default: never", 1e-12f, 1e12f);

    readonly Option<string?> bestBy = CommonOptions.Choice("--best-by", "The test figure that decides which epoch is the best", [Metric.Accuracy.Name, "loss"], Metric.Accuracy.Name);
    readonly Option<int?> patience = CommonOptions.Number<int>("--patience", "Stop early, after N epochs in a row that were not better. Default: never", 1, 100_000);

    readonly Option<bool> recompute = new("--recompute") { Description = "Compute the projections of neurons again in backward instead of keeping them: less memory, more time." };

    readonly Option<long?> seed = CommonOptions.Number<long>("--seed", $"The seed of all random numbers. Default: {main.Training.Seed}", 0, long.MaxValue);
    readonly Option<int?> checkpointSteps = CommonOptions.Number<int>("--checkpoint-steps", "Write a checkpoint every N steps too, besides the one of every epoch", 1, int.MaxValue);
    readonly Option<double?> checkpointSeconds = CommonOptions.Number<double>("--checkpoint-seconds", $"Write a checkpoint every N seconds too. Default: {main.Training.CheckpointSeconds}", 0.001, 1e9);

    readonly Option<int?> telemetrySteps = CommonOptions.Number<int>("--telemetry", "Every N steps, write the norm, spectrum, effective rank, share and gradients of each quadratic layer to telemetry.csv", 1, int.MaxValue);

    public TrainOptions()
    {
        // The names in PyTorch's examples.
        learningRate.Aliases.Add("--lr");
        batch.Aliases.Add("--batch-size");
    }

    /// <summary>The options that say what is trained and how, in the order of the help.</summary>
    public IReadOnlyList<Option> All =>
    [
        .. network.All, data, dataFolder, imageSize, testShare, images, augmentation,
        epochs, batch, dropLast, optimizer, learningRate, schedule, warmUp, weightDecay, smoothing, clip, bestBy, patience, recompute,
        .. entries.All, seed, checkpointSteps, checkpointSeconds, telemetrySteps,
    ];

    /// <summary>Returns the configuration that suits the data, changed by the given options.</summary>
    public RunConfiguration Configuration(ParseResult parsed, Device device)
    {
        var usual = Usual(parsed);
        var chosen = CommonOptions.Chosen(parsed, optimizer, Optimizers.Registry, usual.Training.Optimizer);
        var (rate, decay) = Rates(chosen, usual.Training);
        return entries.Apply(parsed, usual with
        {
            DataFolder = parsed.GetValue(dataFolder),
            TrainImages = parsed.GetValue(images),
            Device = device.Name,
            Network = network.Configuration(parsed, main.Network) with { Recompute = parsed.GetValue(recompute) },
            Training = usual.Training with
            {
                Epochs = parsed.GetValue(epochs) ?? usual.Training.Epochs,
                BatchSize = parsed.GetValue(batch) ?? usual.Training.BatchSize,
                DropLast = parsed.GetValue(dropLast),
                Optimizer = chosen,
                LearningRate = parsed.GetValue(learningRate) ?? rate,
                Schedule = CommonOptions.Chosen(parsed, schedule, Schedules.Registry, usual.Training.Schedule),
                WarmUpEpochs = parsed.GetValue(warmUp) ?? Math.Min(usual.Training.WarmUpEpochs, 0.2f * (parsed.GetValue(epochs) ?? usual.Training.Epochs)),
                WeightDecay = parsed.GetValue(weightDecay) ?? decay,
                LabelSmoothing = parsed.GetValue(smoothing) ?? usual.Training.LabelSmoothing,
                ClipNorm = parsed.GetValue(clip) ?? usual.Training.ClipNorm,
                Augmentation = CommonOptions.Chosen(parsed, augmentation, Augmentations.Registry, usual.Training.Augmentation),
                BestBy = parsed.GetValue(bestBy)?.ToLowerInvariant(),
                Patience = parsed.GetValue(patience),
                CheckpointSteps = parsed.GetValue(checkpointSteps),
                CheckpointSeconds = parsed.GetValue(checkpointSeconds) ?? usual.Training.CheckpointSeconds,
                TelemetrySteps = parsed.GetValue(telemetrySteps),
            },
        });
    }

    // Learning rate and weight decay belong to an optimizer. If it is the data's usual optimizer, they are the data's usual values, else the optimizer's.
    static (float Rate, float Decay) Rates(Selection chosen, TrainerOptions usual)
    {
        if (chosen.Name == usual.Optimizer.Name) return (usual.LearningRate, usual.WeightDecay);
        var entry = Optimizers.Registry.Get(chosen);
        return (entry.LearningRate, entry.WeightDecay);
    }

    /// <summary>Returns the configuration of the main job on a data set, or the one that suits a folder of pictures.</summary>
    RunConfiguration Usual(ParseResult parsed)
    {
        var chosen = CommonOptions.Data(parsed, data) ?? main.Data;
        var seeded = (ulong?)parsed.GetValue(seed) ?? main.Training.Seed;
        if (!CommonOptions.IsNamed(chosen))
            return RunConfiguration.ForFolder(chosen.Name, network.Configuration(parsed, main.Network).Model, parsed.GetValue(imageSize), parsed.GetValue(testShare) ?? FolderSplits.DefaultTestShare, seeded, parsed.GetValue(images));
        if (parsed.GetValue(imageSize) is not null || parsed.GetValue(testShare) is not null)
            throw new ArgumentException($"{imageSize.Name} and {testShare.Name} are for a folder of pictures (--data DIR); {chosen.Name} has its own size and test images");
        var run = RunConfiguration.ForDataset(chosen);
        return run with { Training = run.Training with { Seed = seeded } };
    }

    static string Usually(Func<OptimizerEntry, float> value) => string.Join(", ", Optimizers.Registry.Entries.Select(entry => $"{value(entry)} for {entry.Name}"));
}
