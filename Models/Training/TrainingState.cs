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

    /// <summary>Images seen in the epoch under way.</summary>
    public int Images { get; init; }

    /// <summary>Those whose class was found.</summary>
    public int Correct { get; init; }

    /// <summary>The sum of their losses.</summary>
    public double LossSum { get; init; }

    /// <summary><see cref="Generator.Seed"/> of <see cref="Generator.Default"/>.</summary>
    public ulong RandomSeed { get; init; }

    /// <summary><see cref="Generator.Position"/> of <see cref="Generator.Default"/>.</summary>
    public ulong RandomPosition { get; init; }

    /// <summary>Where the generators of modules are, by <see cref="Layers.ModuleBase.NamedGenerators"/>; null where no module has one.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public SortedDictionary<string, GeneratorState>? Generators { get; init; }

    /// <summary>One entry for each epoch finished.</summary>
    public IReadOnlyList<EpochMetrics> History { get; init; } = [];

    /// <summary>Mean loss of the epoch under way.</summary>
    [JsonIgnore]
    public double Loss => LossSum / Math.Max(1, Images);

    /// <summary>Accuracy of the epoch under way, in percent.</summary>
    [JsonIgnore]
    public double Accuracy => 100.0 * Correct / Math.Max(1, Images);

    /// <summary>The epoch of the highest test accuracy, of several the one of the lowest test loss; null before the first ends.</summary>
    [JsonIgnore]
    public EpochMetrics? Best => History.MaxBy(epoch => (epoch.TestAccuracy, double.IsNaN(epoch.TestLoss) ? double.NegativeInfinity : -epoch.TestLoss));
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
/// <param name="TrainAccuracy">Likewise, in percent.</param>
/// <param name="TestLoss">Mean over the test images at its end.</param>
/// <param name="TestAccuracy">Likewise, in percent.</param>
public sealed record EpochMetrics(int Epoch, int Step, float LearningRate, double TrainLoss, double TrainAccuracy, double TestLoss, double TestAccuracy)
{
    /// <summary>Training and evaluation, without the part before an interruption; null where it was not measured.</summary>
    [JsonIgnore]
    public double? Seconds { get; init; }

    /// <summary>Speed of training alone.</summary>
    [JsonIgnore]
    public double? ImagesPerSecond { get; init; }

    /// <summary>The most bytes that tensors took on the device at once.</summary>
    [JsonIgnore]
    public long? PeakBytes { get; init; }
}
