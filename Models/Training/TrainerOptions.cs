using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>The options of a training. They decide the result, except for the options about checkpoints and telemetry.</summary>
public sealed record TrainerOptions
{
    /// <summary>The number of epochs: how often every training example is seen.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>The number of examples in a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Whether the last batch of an epoch is left out if it has fewer images than the others; each epoch leaves out other images. If false, the last batch is a step too, but a
    /// single image joins the batch before it, because batch norm cannot compute statistics of one image.
    /// </summary>
    public bool DropLast { get; init; }

    /// <summary>The optimizer, which turns gradients into updates: an entry of <see cref="Optimizers.Registry"/>, and values of its options.</summary>
    public Selection Optimizer { get; init; } = "sgd";

    /// <summary>The highest learning rate of the schedule.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>The schedule of the learning rate over the steps: an entry of <see cref="Schedules.Registry"/>, and values of its options.</summary>
    public Selection Schedule { get; init; } = "cosine";

    /// <summary>The number of epochs, which may be a fraction, over which the learning rate first rises from 0.</summary>
    public float WarmUpEpochs { get; init; }

    /// <summary>The weight decay of every group of parameters that does not set its own.</summary>
    public float WeightDecay { get; init; } = 1e-4f;

    /// <summary>The share of each label that is spread over all classes.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>The norm to which larger gradients are scaled down; null for no clipping.</summary>
    public float? ClipNorm { get; init; }

    /// <summary>The random changes of the training images: an entry of <see cref="Augmentations.Registry"/>, and values of its options.</summary>
    public Selection Augmentation { get; init; } = "none";

    /// <summary>The seed of the order and the changes of the images.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>What decides the best epoch: the name of a metric, or "loss". Null for the first metric of the task, or for the loss if the task has no metrics.</summary>
    public string? BestBy { get; init; }

    /// <summary>The number of epochs in a row without a better one after which the training stops (early stopping); null to run all epochs.</summary>
    public int? Patience { get; init; }

    /// <summary>The number of steps between checkpoints, in addition to the checkpoint of each epoch; null for none.</summary>
    public int? CheckpointSteps { get; init; }

    /// <summary>The number of seconds between checkpoints, in addition to the checkpoint of each epoch; null for none.</summary>
    public double? CheckpointSeconds { get; init; } = 30;

    /// <summary>
    /// The number of steps between records of the state of every quadratic layer (<see cref="QuadEngine.Layers.QuadraticTelemetry"/>), which go into the run's folder; null for
    /// none. A record only reads and changes no bit of the run.
    /// </summary>
    public int? TelemetrySteps { get; init; }

    /// <summary>Creates the optimizer of a network.</summary>
    /// <param name="groups">The groups from <see cref="Layers.ModuleBase.ParameterGroups"/>; groups without a weight decay get <see cref="WeightDecay"/>.</param>
    /// <exception cref="ArgumentException">The optimizer is unknown, or one of its options is not possible; the message says what is possible.</exception>
    public Optimizer CreateOptimizer(IReadOnlyList<ParameterGroup> groups) => Optimizers.Create(Optimizer, groups, LearningRate, WeightDecay);

    /// <summary>Creates the schedule, which gives the factor of the learning rate at each step.</summary>
    /// <param name="stepsPerEpoch">The number of batches in an epoch.</param>
    /// <exception cref="ArgumentException">The schedule is unknown, one of its options is not possible, or <see cref="WarmUpEpochs"/> gives fewer than 0 steps.</exception>
    public Schedule CreateSchedule(int stepsPerEpoch) =>
        Schedules.Create(Schedule, new(Epochs, stepsPerEpoch, WarmUp: (int)Math.Min(Math.Round((double)WarmUpEpochs * stepsPerEpoch), int.MaxValue)));

    /// <summary>Creates the random changes for training images of a shape.</summary>
    /// <param name="imageShape">The shape [H, W, C] of every image.</param>
    /// <exception cref="ArgumentException">The augmentation is unknown, or one of its options is not possible; the message says what is possible.</exception>
    public Augmentation CreateAugmentation(Shape imageShape) => Augmentations.Create(Augmentation, imageShape);

    /// <summary>Returns the options as a file must store them: with the values of all options of their entries.</summary>
    /// <exception cref="ArgumentException">A name is unknown, or an option is not possible; the message says what is possible.</exception>
    public TrainerOptions Complete() => this with
    {
        Optimizer = Optimizers.Registry.Complete(Optimizer),
        Schedule = Schedules.Registry.Complete(Schedule),
        Augmentation = Augmentations.Registry.Complete(Augmentation),
    };

    /// <param name="task">The task with the metrics that an option may name; null if it is not created yet.</param>
    /// <param name="ofImages">Whether the task is created from these options. If false, the options that belong to a task must have their defaults.</param>
    internal void Validate(TrainingTask? task = null, bool ofImages = true)
    {
        if (task is not null)
        {
            string[] names = [.. task.Metrics.Select(metric => metric.Name), TrainingTask.LossName];
            That(BestBy is null || names.Contains(BestBy), nameof(BestBy), $"\"{BestBy}\"", $"one of {string.Join(", ", names)}");
        }

        That(ofImages || LabelSmoothing == 0f, nameof(LabelSmoothing), LabelSmoothing, $"0 if you create the task: give it to the task, new {nameof(Classification)}(...) {{ {nameof(LabelSmoothing)} = {LabelSmoothing} }}");
        That(ofImages || Augmentation.Name == "none", nameof(Augmentation), $"\"{Augmentation.Name}\"", $"\"none\" if you create the task: give it to the examples, images.{nameof(LabeledImages.Augmented)}(...)");

        static void That(bool valid, string name, object? got, string expected) =>
            Check.That(valid, nameof(TrainerOptions), $"{name} is {got}, expected {expected}.");

        Complete();
        That(Epochs > 0, nameof(Epochs), Epochs, "1 or more");
        That(BatchSize > 0, nameof(BatchSize), BatchSize, "1 or more");
        That(LearningRate > 0f && float.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a number above 0");
        That(WarmUpEpochs >= 0f && WarmUpEpochs <= Epochs, nameof(WarmUpEpochs), WarmUpEpochs, $"0 to {Epochs}, the number of epochs");
        That(WeightDecay >= 0f && float.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "0 or more");
        That(LabelSmoothing is >= 0f and < 1f, nameof(LabelSmoothing), LabelSmoothing, "at least 0 and under 1");
        That(ClipNorm is null or > 0f, nameof(ClipNorm), ClipNorm, "a number above 0, or none");
        That(Patience is null or > 0, nameof(Patience), Patience, "1 or more, or none");
        That(CheckpointSteps is null or > 0, nameof(CheckpointSteps), CheckpointSteps, "1 or more, or none");
        That(TelemetrySteps is null or > 0, nameof(TelemetrySteps), TelemetrySteps, "1 or more, or none");
        That(CheckpointSeconds is null or > 0, nameof(CheckpointSeconds), CheckpointSeconds, "a number above 0, or none");
    }
}
