using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Makes every layer quadratic.</summary>
public sealed class AllLayers : Experiment
{
    const string Linear = "linear", Blocks = "blocks quadratic", Everything = "everything quadratic";
    const int Rank = 3;

    /// <inheritdoc/>
    public override string Name => "all-layers";

    /// <inheritdoc/>
    public override string Question => "Does a network train stably with every convolution quadratic, stem and classifier included?";

    /// <inheritdoc/>
    public override string Method => $"Loss and accuracy over training are compared for three networks: the linear one, one whose block convolutions are quadratic with rank {Rank}, and one whose stem and classifier are quadratic too.";

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        var quadratic = Neurons.Quadratic(Rank);
        var ends = new Dictionary<string, Neuron> { ["conv1"] = quadratic, ["linear"] = quadratic };
        return Train(scale, data,
        [
            (Linear, seed => data.Network(scale, seed, Neurons.Linear)),
            (Blocks, seed => data.Network(scale, seed, quadratic)),
            (Everything, seed => data.Network(scale, seed, quadratic, ends)),
        ]);
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("training loss", NetworkTrial.TrainLoss, 1, 4), ("diverged", NetworkTrial.Diverged, 1, 2),
            ("parameters", NetworkTrial.Parameters, 1, 0), ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3), ("ms per step", StepTime.Milliseconds, 1, 1));
        page.Text(StepTime.Describe(scale));
        page.Chart(Charting.Curves(rows, rows.Settings, NetworkTrial.TrainLoss, "training loss"));
        page.Chart(Charting.Curves(rows, rows.Settings, NetworkTrial.TestAccuracies, "test accuracy, %"));
        page.Compare(rows, Blocks, Linear);
        page.Compare(rows, Everything, Linear);
        var (runs, diverged) = (NetworkTrial.Runs(rows).Count(), NetworkTrial.DivergedRuns(rows).Count());
        page.Conclude(diverged == 0 ? $"None of the {runs} runs met a NaN or an infinity." : $"{diverged} of {runs} runs met a NaN or an infinity.");
    }
}
