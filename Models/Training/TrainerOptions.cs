using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>How a network is trained. The numbers alone decide the result; how often checkpoints and telemetry are written does not.</summary>
public sealed record TrainerOptions
{
    /// <summary>Times that every training example is seen.</summary>
    public int Epochs { get; init; } = 10;

    /// <summary>Examples of a step.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>
    /// Leaves out the last batch of an epoch where it has fewer images than the others; each epoch leaves out others. Else it is a step too, but a
    /// single image, of which batch norm has no statistics, joins the batch before it.
    /// </summary>
    public bool DropLast { get; init; }

    /// <summary>Turns gradients into updates: one of <see cref="Optimizers.Registry"/>, and values of its options.</summary>
    public Selection Optimizer { get; init; } = "sgd";

    /// <summary>The highest learning rate of the schedule.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>How the learning rate goes over the steps: one of <see cref="Schedules.Registry"/>, and values of its options.</summary>
    public Selection Schedule { get; init; } = "cosine";

    /// <summary>Epochs over which the learning rate first rises from 0; may be a fraction.</summary>
    public float WarmUpEpochs { get; init; }

    /// <summary>Of every group of parameters that has none of its own.</summary>
    public float WeightDecay { get; init; } = 1e-4f;

    /// <summary>Spreads this share of each label over all classes.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>Gradients are scaled down to this norm where theirs is larger; null for never.</summary>
    public float? ClipNorm { get; init; }

    /// <summary>Random changes of the training images: one of <see cref="Augmentations.Registry"/>, and values of its options.</summary>
    public Selection Augmentation { get; init; } = "none";

    /// <summary>Of the order and the changes of the images.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>What an epoch is the best by: a metric's name, or "loss"; null for the first metric of the task, or its loss where it has none.</summary>
    public string? BestBy { get; init; }

    /// <summary>Stops after this number of epochs in a row without a better one (early stopping); null for never.</summary>
    public int? Patience { get; init; }

    /// <summary>A checkpoint after so many steps, beside the one of each epoch; null for none.</summary>
    public int? CheckpointSteps { get; init; }

    /// <summary>A checkpoint after so many seconds, beside the one of each epoch; null for none.</summary>
    public double? CheckpointSeconds { get; init; } = 30;

    /// <summary>
    /// Records the state of every quadratic layer every so many steps (<see cref="QuadEngine.Layers.QuadraticTelemetry"/>), into the run's folder; null for
    /// never. It reads, and changes no bit of the run.
    /// </summary>
    public int? TelemetrySteps { get; init; }

    /// <summary>The optimizer of a network.</summary>
    /// <param name="groups">From <see cref="Layers.ModuleBase.ParameterGroups"/>; <see cref="WeightDecay"/> is for those without.</param>
    /// <exception cref="ArgumentException">There is no such optimizer, or an option of it is not possible; the message says what is.</exception>
    public Optimizer CreateOptimizer(IReadOnlyList<ParameterGroup> groups) => Optimizers.Create(Optimizer, groups, LearningRate, WeightDecay);

    /// <summary>The learning rate's factor at each step.</summary>
    /// <param name="stepsPerEpoch">Batches of an epoch.</param>
    /// <exception cref="ArgumentException">There is no such schedule, an option of it is not possible, or <see cref="WarmUpEpochs"/> come to fewer than 0 steps.</exception>
    public Schedule CreateSchedule(int stepsPerEpoch) =>
        Schedules.Create(Schedule, new(Epochs, stepsPerEpoch, WarmUp: (int)Math.Min(Math.Round((double)WarmUpEpochs * stepsPerEpoch), int.MaxValue)));

    /// <summary>The random changes of training images of a shape.</summary>
    /// <param name="imageShape">[H, W, C] of every image.</param>
    /// <exception cref="ArgumentException">There is no such augmentation, or an option of it is not possible; the message says what is.</exception>
    public Augmentation CreateAugmentation(Shape imageShape) => Augmentations.Create(Augmentation, imageShape);

    /// <summary>The same with the values of all options of what it names: what a file has to say.</summary>
    /// <exception cref="ArgumentException">A name is not known, or an option is not possible; the message says what is.</exception>
    public TrainerOptions Complete() => this with
    {
        Optimizer = Optimizers.Registry.Complete(Optimizer),
        Schedule = Schedules.Registry.Complete(Schedule),
        Augmentation = Augmentations.Registry.Complete(Augmentation),
    };

    /// <param name="task">Has the metrics that an option may name; null where it is not made yet.</param>
    /// <param name="ofImages">The task is made of these options, which have what is a task's own elsewhere.</param>
    internal void Validate(TrainingTask? task = null, bool ofImages = true)
    {
        if (task is not null)
        {
            string[] names = [.. task.Metrics.Select(metric => metric.Name), TrainingTask.LossName];
            That(BestBy is null || names.Contains(BestBy), nameof(BestBy), $"\"{BestBy}\"", $"one of {string.Join(", ", names)}");
        }

        That(ofImages || LabelSmoothing == 0f, nameof(LabelSmoothing), LabelSmoothing, $"0 beside a task of your own: give it to the task, new {nameof(Classification)}(...) {{ {nameof(LabelSmoothing)} = {LabelSmoothing} }}");
        That(ofImages || Augmentation.Name == "none", nameof(Augmentation), $"\"{Augmentation.Name}\"", $"\"none\" beside a task of your own: give it to the examples, images.{nameof(LabeledImages.Augmented)}(...)");

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
