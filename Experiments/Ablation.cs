using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Leaves out the stability techniques, to see which are needed.</summary>
public sealed class Ablation : Experiment
{
    const string Everything = "all techniques", None = "none of the three", Alone = "y alone, f not put out";
    const int Rank = 7;

    /// <inheritdoc/>
    public override string Name => "ablation";

    /// <inheritdoc/>
    public override string Question => "Which of the stability techniques are needed?";

    /// <inheritdoc/>
    public override string Method => $"The block convolutions are quadratic with rank {Rank}. \"{Everything}\": Lambda starts at 0, learns at a tenth of the rate, and its sum is normalized by 1/k. "
        + "Each technique is left out alone, then all three are. Then the other choices vary: Lambda's rate from 1e-4 to 10, its decay, the gradient through f, and the basis Q.";

    static (string Setting, QuadraticOptions Options)[] Settings =>
    [
        (Everything, new()),
        ("Lambda starts random (0.1)", new() { LambdaDeviation = 0.1f }),
        ("Lambda at the full rate", new() { LambdaLearningRate = 1f }),
        ("no normalisation", new() { Normalized = false }),
        (None, new() { LambdaDeviation = 0.1f, LambdaLearningRate = 1f, Normalized = false }),
        ("Lambda's rate 1e-4", new() { LambdaLearningRate = 1e-4f }),
        ("Lambda's rate 10", new() { LambdaLearningRate = 10f }),
        ("no decay of Lambda", new() { LambdaWeightDecay = 0f }),
        ("gradient through f cut", new() { Detached = true }),
        ("Q penalised towards orthonormal", new() { Basis = Basis.Penalized }),
        ("Q retracted to orthonormal", new() { Basis = Basis.Retracted }),
        (Alone, new() { Vectorized = false }),
    ];

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data) => Train(scale, data, Settings.Where(setting => scale.Size != ExperimentSize.Medium || setting.Options.Vectorized).Select(setting =>
        (setting.Setting, (Func<ulong, ResNet>)(seed => data.Network(scale, seed, Neurons.Quadratic(Rank, setting.Options))))));

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("training loss", NetworkTrial.TrainLoss, 1, 4), ("diverged", NetworkTrial.Diverged, 1, 2),
            ("norm of Lambda", NetworkTrial.LambdaNorm, 1, 3), ("quadratic share of y", NetworkTrial.QuadraticShare, 1, 4), ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3),
            ("ms per step", StepTime.Milliseconds, 1, 1));
        page.Text(StepTime.Describe(scale));
        if (rows.Settings.Contains(Alone)) page.Text("\"y alone\" costs k + 1 times as much at equal width. It shows what the f are worth as channels.");
        page.Chart(Charting.Curves(rows, rows.Settings.Take(5), NetworkTrial.TrainLoss, "training loss"));
        page.Chart(Charting.Curves(rows, rows.Settings.Take(5), NetworkTrial.TestAccuracies, "test accuracy, %"));
        var diverged = NetworkTrial.DivergedRuns(rows).GroupBy(row => row.Setting).ToArray();
        page.Conclude(diverged.Length == 0
            ? $"None of the {NetworkTrial.Runs(rows).Count()} runs diverged, with or without the techniques."
            : $"Diverged: {string.Join(", ", diverged.Select(group => $"{group.Key} ({group.Count()} of {scale.Seeds.Count})"))}.");
        var differing = rows.Settings.Where(setting => setting != Everything && rows.Spread(setting, NetworkTrial.Accuracy).DiffersFrom(rows.Spread(Everything, NetworkTrial.Accuracy))).ToArray();
        foreach (var setting in differing) page.Compare(rows, setting, Everything);
        var same = rows.Settings.Where(setting => setting != Everything && !differing.Contains(setting)).ToArray();
        if (same.Length > 0) page.Conclude($"These settings are within the spread over seeds of \"{Everything}\", so no difference in accuracy is shown: {string.Join("; ", same)}.");
    }
}
