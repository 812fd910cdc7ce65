using System.Diagnostics;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Trains one network by a protocol and measures what experiments compare.</summary>
static class NetworkTrial
{
    public const string Accuracy = "accuracy", TrainLoss = "train_loss", TestAccuracies = "test_accuracies", Parameters = "parameters", MultiplyAdds = "multiply_adds",
        Width = "width", PeakMegabytes = "peak_mb", Diverged = "diverged", QuadraticShare = "quadratic_share", LambdaNorm = "lambda_norm";

    /// <summary>Trains, and returns the accuracy of the last epoch (NaN if training diverged), the curves, cost and memory.</summary>
    public static Measurements Run(ResNet network, ExperimentScale scale, ExperimentData data, ulong seed, CancellationToken cancellation, Func<TrainerOptions, TrainerOptions>? change = null)
    {
        var cost = CostModel.Of(network, data.InputShape);
        var options = scale.Training with { Seed = seed };
        var trainer = new Trainer(network, data.Train, data.Test, change?.Invoke(options) ?? options);
        var diverged = false;
        try
        {
            if (!trainer.Run(cancellation)) throw new OperationCanceledException(cancellation);
        }
        catch (TrainingDivergedException)
        {
            diverged = true;
        }

        var history = trainer.State.History;
        var state = Telemetry(network, data, diverged);
        return new Measurements
        {
            { Accuracy, diverged ? double.NaN : history[^1].TestAccuracy },
            { Diverged, diverged ? 1 : 0 },
            { Parameters, cost.Parameters },
            { MultiplyAdds, cost.MultiplyAdds },
            { Width, network.Options.Widths[0] },
            { PeakMegabytes, history.Select(epoch => epoch.PeakBytes ?? 0).DefaultIfEmpty().Max() / 1e6 },
            { LambdaNorm, Math.Sqrt(state.Sum(layer => layer.LambdaNorm * layer.LambdaNorm)) },
            { QuadraticShare, state.Select(layer => layer.QuadraticShare).DefaultIfEmpty().Average() },
            { TrainLoss, [.. history.Select(epoch => epoch.TrainLoss)] },
            { TestAccuracies, [.. history.Select(epoch => epoch.TestAccuracy)] },
        };
    }

    /// <summary>Returns the rows of training runs; other rows have only the time of a step.</summary>
    public static IEnumerable<ExperimentRow> Runs(ExperimentRows rows) => rows.All.Where(row => row.Values.ContainsKey(Accuracy));

    /// <summary>Returns the rows of runs that met a number that is not finite.</summary>
    public static IEnumerable<ExperimentRow> DivergedRuns(ExperimentRows rows) => Runs(rows).Where(row => row.Values[Diverged][0] > 0);

    /// <summary>Trains for some more epochs at a tenth of the learning rate, and returns the accuracy after them.</summary>
    public static double FineTune(ResNet network, ExperimentScale scale, ExperimentData data, ulong seed, CancellationToken cancellation)
    {
        var epochs = Math.Max(1, scale.Training.Epochs / 4);
        var options = scale.Training with { Seed = seed + 1000, Epochs = epochs, LearningRate = scale.Training.LearningRate / 10, WarmUpEpochs = 0, Schedule = "cosine" };
        var trainer = new Trainer(network, data.Train, data.Test, options);
        try
        {
            if (!trainer.Run(cancellation)) throw new OperationCanceledException(cancellation);
        }
        catch (TrainingDivergedException)
        {
            return double.NaN;
        }

        return trainer.State.History[^1].TestAccuracy;
    }

    public static Tensor Probe(ExperimentScale scale, ExperimentData data)
    {
        foreach (var (images, _) in data.Test.Batches(Math.Min(64, data.Test.Count), device: scale.Device)) return images;
        throw new UnreachableException();
    }

    static IReadOnlyList<QuadraticState> Telemetry(ResNet network, ExperimentData data, bool diverged)
    {
        if (diverged) return [];
        using var evaluation = new EvaluationMode();
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        using var telemetry = new QuadraticTelemetry(network);
        foreach (var (images, _) in data.Test.Batches(Math.Min(64, data.Test.Count), device: network.Device))
        {
            network.Forward(images).ToArray();
            break;
        }

        return telemetry.Read();
    }
}
