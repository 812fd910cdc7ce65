using System.Text.Json.Serialization;

namespace QuadEngine.Models;

/// <summary>
/// Where a run is, apart from weights and optimizer: with them it decides every bit of what follows. Nothing in its JSON depends on
/// time, so that a run that was interrupted and resumed leaves the same checkpoint as one that was not.
/// </summary>
public sealed record TrainingState
{
    /// <summary>Epochs finished, evaluation included.</summary>
    public int Epoch { get; init; }

    /// <summary>Steps taken of the epoch under way.</summary>
    public int Batch { get; init; }

    /// <summary>Steps taken in all.</summary>
    public int Step { get; init; }

    /// <summary>What the steps of the epoch under way add up to.</summary>
    public EpochTotals Totals { get; init; } = new();

    /// <summary><see cref="Generator.Seed"/> of <see cref="Generator.Default"/>.</summary>
    public ulong RandomSeed { get; init; }

    /// <summary><see cref="Generator.Position"/> of <see cref="Generator.Default"/>.</summary>
    public ulong RandomPosition { get; init; }

    /// <summary>Where the generators of modules are, by <see cref="Layers.ModuleBase.NamedGenerators"/>; null where no module has one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SortedDictionary<string, GeneratorState>? Generators { get; init; }

    /// <summary>One entry for each epoch finished.</summary>
    public IReadOnlyList<EpochMetrics> History { get; init; } = [];
}

/// <summary>What the steps of an epoch add up to.</summary>
public sealed record EpochTotals
{
    /// <summary>Examples seen.</summary>
    public int Examples { get; init; }

    /// <summary>The sum of their losses.</summary>
    public double LossSum { get; init; }

    /// <summary>The sums of each metric by its name.</summary>
    public SortedDictionary<string, double[]> Sums { get; init; } = new(StringComparer.Ordinal);

    /// <summary>Their mean loss; 0 before the first.</summary>
    [JsonIgnore]
    public double Loss => LossSum / Math.Max(1, Examples);

    /// <summary>The values of metrics, in their order; those of which nothing was measured are left out.</summary>
    /// <param name="metrics">Those that were measured.</param>
    public MetricValues ValuesOf(IEnumerable<Metric> metrics) =>
        new MetricValues(metrics.Where(metric => Sums.ContainsKey(metric.Name)).Select(metric => KeyValuePair.Create(metric.Name, metric.Value(Sums[metric.Name]))));

    internal EpochTotals With(int examples, float loss, IReadOnlyList<BatchSums> batch)
    {
        var sums = new SortedDictionary<string, double[]>(Sums, StringComparer.Ordinal);
        foreach (var (metric, values) in batch) sums[metric.Name] = sums.TryGetValue(metric.Name, out var before) ? [.. before.Zip(values, (a, b) => a + b)] : values;
        return new() { Examples = Examples + examples, LossSum = LossSum + (double)loss * examples, Sums = sums };
    }
}

/// <summary>Where a <see cref="Generator"/> is.</summary>
/// <param name="Seed"><see cref="Generator.Seed"/></param>
/// <param name="Position"><see cref="Generator.Position"/></param>
public sealed record GeneratorState(ulong Seed, ulong Position);

/// <summary>What an epoch reached.</summary>
/// <param name="Epoch">Counted from 1.</param>
/// <param name="Step">Steps taken in all at its end.</param>
/// <param name="LearningRate">Of its last step.</param>
/// <param name="TrainLoss">Mean over its steps, while the weights changed.</param>
/// <param name="TestLoss">Mean over the test examples at its end.</param>
public sealed record EpochMetrics(int Epoch, int Step, float LearningRate, double TrainLoss, double TestLoss)
{
    /// <summary>The task's metrics over its steps, while the weights changed.</summary>
    public MetricValues Train { get; init; } = MetricValues.None;

    /// <summary>The task's metrics over the test examples at its end.</summary>
    public MetricValues Test { get; init; } = MetricValues.None;

    /// <summary>Of a classification, in percent, over its steps; NaN of other tasks.</summary>
    [JsonIgnore]
    public double TrainAccuracy => Train.GetValueOrDefault(Metric.Accuracy.Name, double.NaN);

    /// <summary>Of a classification, in percent, over the test examples; NaN of other tasks.</summary>
    [JsonIgnore]
    public double TestAccuracy => Test.GetValueOrDefault(Metric.Accuracy.Name, double.NaN);

    /// <summary>Training and evaluation, without the part before an interruption; null where it was not measured.</summary>
    [JsonIgnore]
    public double? Seconds { get; init; }

    /// <summary>Speed of training alone.</summary>
    [JsonIgnore]
    public double? ExamplesPerSecond { get; init; }

    /// <summary>The most bytes that tensors took on the device at once.</summary>
    [JsonIgnore]
    public long? PeakBytes { get; init; }
}
