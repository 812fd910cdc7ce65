using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Measures the accuracy for each rank.</summary>
public sealed class RankSweep : Experiment
{
    const float StrongRate = 10f;
    const string Linear = "linear", Usual = "k = ", Strong = "strong, k = ";

    /// <inheritdoc/>
    public override string Name => "rank-sweep";

    /// <inheritdoc/>
    public override string Question => "How does accuracy depend on the rank k?";

    /// <inheritdoc/>
    public override string Method => "All block convolutions are made of quadratic neurons of rank k at equal width; k = 0 is the linear network. If k + 1 does not divide a width, the last neuron has a smaller rank. "
        + $"Every rank is trained twice. Lambda learns at its usual rate ({new QuadraticOptions().LambdaLearningRate} times that of other weights), then at {StrongRate} times that of other weights, because at its usual rate it hardly leaves 0 in a short training.";

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        int[] ranks = scale.Size switch
        {
            ExperimentSize.Smoke => [3],
            ExperimentSize.Small or ExperimentSize.Medium => [1, 3, 7, 15],
            ExperimentSize.Full => [.. Enumerable.Range(1, 15)],
            _ => throw ExperimentScale.Unknown(scale.Size),
        };
        var strong = new QuadraticOptions { LambdaLearningRate = StrongRate };
        return Train(scale, data,
        [
            (Linear, Of(Neurons.Linear)),
            .. ranks.Select(rank => (Usual + rank, Of(Neurons.Quadratic(rank)))),
            .. ranks.Select(rank => (Strong + rank, Of(Neurons.Quadratic(rank, strong)))),
        ]);

        Func<ulong, ResNet> Of(Neuron neuron) => seed => data.Network(scale, seed, neuron);
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("parameters", NetworkTrial.Parameters, 1, 0),
            ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3), ("ms per step", StepTime.Milliseconds, 1, 1),
            ("norm of Lambda", NetworkTrial.LambdaNorm, 1, 3), ("quadratic share of y", NetworkTrial.QuadraticShare, 1, 4));
        page.Text(StepTime.Describe(scale));
        foreach (var (label, x) in (ReadOnlySpan<(string, Func<string, double>)>)[("rank k (0: linear)", RankOf), ("million multiply-adds", setting => rows.Spread(setting, NetworkTrial.MultiplyAdds).Mean / 1e6)])
            page.Chart(new LineChart(label, "test accuracy, %",
            [
                .. ((string[])[Usual, Strong]).Select(kind => new Series(kind == Usual ? "Lambda's usual rate" : $"{StrongRate} times the rate",
                    [.. rows.Settings.Where(setting => setting == Linear || setting.StartsWith(kind, StringComparison.Ordinal)).OrderBy(x).Select(setting => Charting.Point(x(setting), rows.Spread(setting, NetworkTrial.Accuracy)))])),
            ]));

        var ranks = rows.Settings.Where(setting => setting != Linear).ToArray();
        if (ranks.Length == 0) return;
        var differing = ranks.Where(setting => rows.Spread(setting, NetworkTrial.Accuracy).DiffersFrom(rows.Spread(Linear, NetworkTrial.Accuracy))).ToArray();
        foreach (var setting in differing) page.Compare(rows, setting, Linear);
        page.Conclude($"{(differing.Length == 0 ? "None" : $"{differing.Length}")} of the {ranks.Length} quadratic settings {(differing.Length == 1 ? "differs" : "differ")} from the linear network by more than the spread over seeds.");
        foreach (var kind in (string[])[Usual, Strong])
        {
            var own = ranks.Where(setting => setting.StartsWith(kind, StringComparison.Ordinal)).ToArray();
            if (own.Length < 2) continue;
            page.Compare(rows, own.MaxBy(setting => rows.Spread(setting, NetworkTrial.Accuracy).Mean)!, own.MinBy(setting => rows.Spread(setting, NetworkTrial.Accuracy).Mean)!);
        }

        page.Conclude("The best and the worst of several settings were chosen after the runs, so they differ by chance too.");
    }

    static double RankOf(string setting) => setting == Linear ? 0 : double.Parse(setting.Split(' ')[^1], System.Globalization.CultureInfo.InvariantCulture);
}
