using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Replaces one convolution at a time.</summary>
public sealed class SingleLayer : Experiment
{
    const string Linear = "linear";
    const int Rank = 3;

    /// <inheritdoc/>
    public override string Name => "single-layer";

    /// <inheritdoc/>
    public override string Question => "Does it matter which single convolution is made of quadratic neurons?";

    /// <inheritdoc/>
    public override string Method => $"In a linear ResNet one convolution is replaced by quadratic neurons of rank {Rank} at equal width, at each position in turn. The unchanged network is trained too.";

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        var positions = data.Network(scale, 0, Neurons.Linear).Modules().Where(entry => entry.Module is Conv2d).Select(entry => entry.Path);
        return Train(scale, data, positions.Prepend(Linear).Select(path => (path, Network(path))));

        Func<ulong, ResNet> Network(string path) => seed =>
            data.Network(scale, seed, Neurons.Linear, path == Linear ? [] : new Dictionary<string, Neuron> { [path] = Neurons.Quadratic(Rank) });
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("parameters", NetworkTrial.Parameters, 1, 0),
            ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3), ("ms per step", StepTime.Milliseconds, 1, 1), ("quadratic share of y", NetworkTrial.QuadraticShare, 1, 4));
        page.Text(StepTime.Describe(scale));
        var positions = rows.Settings.Where(setting => setting != Linear).ToArray();
        page.Chart(new LineChart("position of the quadratic layer", "test accuracy, %",
        [
            new Series($"rank {Rank} at one position", [.. positions.Select((path, i) => Charting.Point(i + 1, rows.Spread(path, NetworkTrial.Accuracy)))]),
            new Series("none", [.. positions.Select((_, i) => Charting.Point(i + 1, rows.Spread(Linear, NetworkTrial.Accuracy)))]) { Dashed = true },
        ]));
        var differing = positions.Where(path => rows.Spread(path, NetworkTrial.Accuracy).DiffersFrom(rows.Spread(Linear, NetworkTrial.Accuracy))).ToArray();
        page.Conclude(differing.Length == 0
            ? "No single position differs from the linear network by more than the spread over seeds."
            : $"Of {positions.Length} positions, {differing.Length} differ from the linear network by more than the spread over seeds: {string.Join(", ", differing)}. (With this many positions some do by chance.)");
        if (positions.Length > 0) page.Compare(rows, positions.MaxBy(path => rows.Spread(path, NetworkTrial.Accuracy).Mean)!, positions.MinBy(path => rows.Spread(path, NetworkTrial.Accuracy).Mean)!);
    }
}
