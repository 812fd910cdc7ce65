using System.Text.Json.Serialization;

namespace QuadEngine.Models;

/// <summary>
/// The state of a run apart from weights and optimizer; together they decide every bit of the following steps. Nothing in its JSON depends on
/// time, so a run that was interrupted and resumed leaves the same checkpoint as a run without interruption.
/// </summary>
public sealed record TrainingState
{
    /// <summary>The number of finished epochs, including their evaluation.</summary>
    public int Epoch { get; init; }

    /// <summary>The number of steps taken in the current epoch.</summary>
    public int Batch { get; init; }

    /// <summary>The number of steps taken in all.</summary>
    public int Step { get; init; }

    /// <summary>The totals over the steps of the current epoch.</summary>
    public EpochTotals Totals { get; init; } = new();

    /// <summary>The <see cref="Generator.Seed"/> of <see cref="Generator.Default"/>.</summary>
    public ulong RandomSeed { get; init; }

    /// <summary>The <see cref="Generator.Position"/> of <see cref="Generator.Default"/>.</summary>
    public ulong RandomPosition { get; init; }

    /// <summary>The states of the modules' generators, by <see cref="Layers.ModuleBase.NamedGenerators"/>; null if no module has one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SortedDictionary<string, GeneratorState>? Generators { get; init; }

    /// <summary>The results of each finished epoch.</summary>
    public IReadOnlyList<EpochMetrics> History { get; init; } = [];
}

/// <summary>The totals over steps of an epoch.</summary>
public sealed record EpochTotals
{
    /// <summary>The number of examples seen.</summary>
    public int Examples { get; init; }

    /// <summary>The sum of the losses of all examples.</summary>
    public double LossSum { get; init; }

    /// <summary>The sums of each metric by its name.</summary>
    public SortedDictionary<string, double[]> Sums { get; init; } = new(StringComparer.Ordinal);

    /// <summary>The mean loss of the examples; 0 before the first example.</summary>
    [JsonIgnore]
    public double Loss => LossSum / Math.Max(1, Examples);

    /// <summary>Returns the values of metrics, in their order. Metrics that were not measured are left out.</summary>
    /// <param name="metrics">The metrics.</param>
    public MetricValues ValuesOf(IEnumerable<Metric> metrics) =>
        new MetricValues(metrics.Where(metric => Sums.ContainsKey(metric.Name)).Select(metric => KeyValuePair.Create(metric.Name, metric.Value(Sums[metric.Name]))));

    internal EpochTotals With(int examples, float loss, IReadOnlyList<BatchSums> batch)
    {
        var sums = new SortedDictionary<string, double[]>(Sums, StringComparer.Ordinal);
        foreach (var (metric, values) in batch) sums[metric.Name] = sums.TryGetValue(metric.Name, out var before) ? [.. before.Zip(values, (a, b) => a + b)] : values;
        return new() { Examples = Examples + examples, LossSum = LossSum + (double)loss * examples, Sums = sums };
    }
}

/// <summary>The state of a <see cref="Generator"/>.</summary>
/// <param name="Seed">The <see cref="Generator.Seed"/>.</param>
/// <param name="Position">The <see cref="Generator.Position"/>.</param>
public sealed record GeneratorState(ulong Seed, ulong Position);

/// <summary>The results of an epoch.</summary>
/// <param name="Epoch">The number of the epoch, from 1.</param>
/// <param name="Step">The number of all steps taken until its end.</param>
/// <param name="LearningRate">The learning rate of its last step.</param>
/// <param name="TrainLoss">The mean loss over its steps, while the weights changed.</param>
/// <param name="TestLoss">The mean loss over the test examples at its end.</param>
public sealed record EpochMetrics(int Epoch, int Step, float LearningRate, double TrainLoss, double TestLoss)
{
    /// <summary>The task's metrics over its steps, while the weights changed.</summary>
    public MetricValues Train { get; init; } = MetricValues.None;

    /// <summary>The task's metrics over the test examples at its end.</summary>
    public MetricValues Test { get; init; } = MetricValues.None;

    /// <summary>The accuracy of a classification over the steps, in percent; NaN for other tasks.</summary>
    [JsonIgnore]
    public double TrainAccuracy => Train.GetValueOrDefault(Metric.Accuracy.Name, double.NaN);

    /// <summary>The accuracy of a classification over the test examples, in percent; NaN for other tasks.</summary>
    [JsonIgnore]
    public double TestAccuracy => Test.GetValueOrDefault(Metric.Accuracy.Name, double.NaN);

    /// <summary>The seconds of training and evaluation, without the time before an interruption; null if not measured.</summary>
    [JsonIgnore]
    public double? Seconds { get; init; }

    /// <summary>The number of examples per second, in training only; null if not measured.</summary>
    [JsonIgnore]
    public double? ExamplesPerSecond { get; init; }

    /// <summary>The largest number of bytes that tensors took on the device at one time; null if not measured.</summary>
    [JsonIgnore]
    public long? PeakBytes { get; init; }
}
