using System.Text.Json.Serialization;
using QuadEngine.Data;

namespace QuadEngine.Models;

/// <summary>The optimizers that a run can name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<OptimizerKind>))]
public enum OptimizerKind
{
    /// <summary><see cref="QuadEngine.Sgd"/>.</summary>
    [JsonStringEnumMemberName("sgd")]
    Sgd,

    /// <summary><see cref="QuadEngine.AdamW"/>.</summary>
    [JsonStringEnumMemberName("adamw")]
    AdamW,
}

/// <summary>The learning-rate schedules that a run can name.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ScheduleKind>))]
public enum ScheduleKind
{
    /// <summary>Half a cosine down to 0 at the end.</summary>
    [JsonStringEnumMemberName("cosine")]
    Cosine,

    /// <summary>Divided by 10 at 1/2 and at 3/4 of training (He et al. 2016).</summary>
    [JsonStringEnumMemberName("steps")]
    Steps,

    /// <summary>The same throughout.</summary>
    [JsonStringEnumMemberName("constant")]
    Constant,
}

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

    /// <summary>Turns gradients into updates.</summary>
    public OptimizerKind Optimizer { get; init; }

    /// <summary>The highest learning rate of the schedule.</summary>
    public float LearningRate { get; init; } = 0.1f;

    /// <summary>How the learning rate goes over the steps.</summary>
    public ScheduleKind Schedule { get; init; }

    /// <summary>Epochs over which the learning rate first rises from 0; may be a fraction.</summary>
    public float WarmUpEpochs { get; init; }

    /// <summary>Of SGD.</summary>
    public float Momentum { get; init; } = 0.9f;

    /// <summary>Nesterov's momentum, of SGD.</summary>
    public bool Nesterov { get; init; }

    /// <summary>Of every group of parameters that has none of its own.</summary>
    public float WeightDecay { get; init; } = 1e-4f;

    /// <summary>Spreads this share of each label over all classes.</summary>
    public float LabelSmoothing { get; init; }

    /// <summary>Gradients are scaled down to this norm where theirs is larger; null for never.</summary>
    public float? ClipNorm { get; init; }

    /// <summary>Random changes of the training images.</summary>
    public Augmentation Augmentation { get; init; } = Augmentation.None;

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
    public Optimizer CreateOptimizer(IReadOnlyList<ParameterGroup> groups) => Optimizer switch
    {
        OptimizerKind.AdamW => new AdamW(groups, LearningRate, weightDecay: WeightDecay),
        _ => new Sgd(groups, LearningRate, Momentum, WeightDecay, Nesterov),
    };

    /// <summary>The learning rate's factor at each step.</summary>
    /// <param name="stepsPerEpoch">Batches of an epoch.</param>
    /// <exception cref="ArgumentException"><see cref="WarmUpEpochs"/> come to fewer than 0 steps.</exception>
    public Schedule CreateSchedule(int stepsPerEpoch)
    {
        var warmUp = Steps(Math.Round((double)WarmUpEpochs * stepsPerEpoch));
        var steps = Math.Max(1, After(1.0));
        Schedule schedule = Schedule switch
        {
            ScheduleKind.Cosine => new Cosine(steps),
            ScheduleKind.Steps => new Milestones([After(0.5), After(0.75)]),
            _ => QuadEngine.Schedule.Constant,
        };
        return schedule.WithWarmUp(warmUp);

        // Steps from the end of the warm-up to a part of the run; no run takes more than an int counts.
        int After(double part) => Steps(Math.Floor(part * ((double)Epochs * stepsPerEpoch))) - warmUp;

        static int Steps(double steps) => (int)Math.Min(steps, int.MaxValue);
    }

    internal void Validate(TrainingTask? task = null)
    {
        if (task is not null)
        {
            string[] names = [.. task.Metrics.Select(metric => metric.Name), TrainingTask.LossName];
            That(BestBy is null || names.Contains(BestBy), nameof(BestBy), $"\"{BestBy}\"", $"one of {string.Join(", ", names)}");
            That(task is Classification || LabelSmoothing == 0f, nameof(LabelSmoothing), LabelSmoothing, $"0, since a {task.GetType().Name} has no labels to smooth");
            That(task is Classification || Augmentation == Augmentation.None, nameof(Augmentation), Augmentation, $"none, since it is for images; the examples of a {task.GetType().Name} make their own random changes");
        }

        static void That(bool valid, string name, object? got, string expected) =>
            Check.That(valid, nameof(TrainerOptions), $"{name} is {got}, expected {expected}.");

        That(Epochs > 0, nameof(Epochs), Epochs, "1 or more");
        That(BatchSize > 0, nameof(BatchSize), BatchSize, "1 or more");
        That(LearningRate > 0f && float.IsFinite(LearningRate), nameof(LearningRate), LearningRate, "a number above 0");
        That(WarmUpEpochs >= 0f && WarmUpEpochs <= Epochs, nameof(WarmUpEpochs), WarmUpEpochs, $"0 to {Epochs}, the number of epochs");
        That(Momentum is >= 0f and < 1f, nameof(Momentum), Momentum, "at least 0 and under 1");
        That(WeightDecay >= 0f && float.IsFinite(WeightDecay), nameof(WeightDecay), WeightDecay, "0 or more");
        That(LabelSmoothing is >= 0f and < 1f, nameof(LabelSmoothing), LabelSmoothing, "at least 0 and under 1");
        That(ClipNorm is null or > 0f, nameof(ClipNorm), ClipNorm, "a number above 0, or none");
        That(Patience is null or > 0, nameof(Patience), Patience, "1 or more, or none");
        That(CheckpointSteps is null or > 0, nameof(CheckpointSteps), CheckpointSteps, "1 or more, or none");
        That(TelemetrySteps is null or > 0, nameof(TelemetrySteps), TelemetrySteps, "1 or more, or none");
        That(CheckpointSeconds is null or > 0, nameof(CheckpointSeconds), CheckpointSeconds, "a number above 0, or none");
    }
}
