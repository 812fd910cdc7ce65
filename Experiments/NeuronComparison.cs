using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Compares all neurons of the catalogue.</summary>
public sealed class NeuronComparison : Experiment
{
    const string Width = ", equal width", Cost = ", equal cost";

    /// <inheritdoc/>
    public override string Name => "neurons";

    /// <inheritdoc/>
    public override string Question => "How do the neurons of the catalogue compare at equal width, and at equal cost?";

    /// <inheritdoc/>
    public override string Method => "All block convolutions are made of one kind of neuron. At equal width each network has the channels of the linear one. At equal cost its width is the "
        + "one whose multiply-adds are nearest to those of the linear network; if that is the same width, the row is not repeated. The gradients of all networks are clipped at norm 5. Full quadratic forms are left out at equal width, because they cost hundreds of times as much there.";

    static (string Title, Neuron Neuron)[] Catalog =>
    [
        .. ((Neuron[])[Neurons.Linear, Neurons.Quadratic(3), Neurons.LowRankQuadratic(1), Neurons.Fan(), Neurons.QRes, Neurons.QuadraNN(), Neurons.Kervolution(), Neurons.FullQuadratic()])
            .Select(neuron => (neuron.Title, neuron)),
        ("quadratic3 (Lambda's rate 10)", Neurons.Quadratic(3, new QuadraticOptions { LambdaLearningRate = 10f })),
    ];

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        var budget = MultiplyAdds(scale, data, Neurons.Linear, scale.Width);
        var widths = Catalog.ToDictionary(kind => kind.Title, kind => Nearest(scale, data, kind.Neuron, budget));
        return Train(scale, data,
        [
            .. Catalog.Where(kind => kind.Neuron is not FullQuadraticNeuron).Select(kind => (kind.Title + Width, Of(kind.Neuron, scale.Width))),
            .. Catalog.Where(kind => widths[kind.Title] != scale.Width).Select(kind => (kind.Title + Cost, Of(kind.Neuron, widths[kind.Title]))),
        ], options => options with { ClipNorm = 5f });

        Func<ulong, ResNet> Of(Neuron neuron, int width) => seed => data.Network(scale, seed, neuron, width: width);
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("width", NetworkTrial.Width, 1, 0), ("parameters", NetworkTrial.Parameters, 1, 0),
            ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3), ("ms per step", StepTime.Milliseconds, 1, 1), ("peak MB of tensors", NetworkTrial.PeakMegabytes, 1, 1), ("diverged", NetworkTrial.Diverged, 1, 2));
        page.Text(StepTime.Describe(scale));
        foreach (var group in (string[])[Width, Cost])
            page.Chart(new LineChart("million multiply-adds", $"test accuracy, %{group}",
            [
                .. rows.Settings.Where(setting => setting.EndsWith(group, StringComparison.Ordinal) || setting.StartsWith(Neurons.Linear.Name, StringComparison.Ordinal)).Select(setting =>
                    new Series(setting.Split(',')[0], [Charting.Point(rows.Spread(setting, NetworkTrial.MultiplyAdds).Mean / 1e6, rows.Spread(setting, NetworkTrial.Accuracy))])),
            ]));
        var linear = Neurons.Linear.Title + Width;
        foreach (var setting in rows.Settings.Where(setting => setting != linear)) page.Compare(rows, setting, linear);
    }

    static long MultiplyAdds(ExperimentScale scale, ExperimentData data, Neuron neuron, int width) => CostModel.Of(data.Network(scale, 0, neuron, width: width), data.InputShape).MultiplyAdds;

    // Costs grow with the width, so the nearest (as a ratio) is the last one below the budget or the first one above it.
    static int Nearest(ExperimentScale scale, ExperimentData data, Neuron neuron, long budget)
    {
        long below = 0;
        for (var width = 1; ; width++)
        {
            var cost = MultiplyAdds(scale, data, neuron, width);
            if (cost >= budget) return below > 0 && (double)budget / below < (double)cost / budget ? width - 1 : width;
            below = cost;
        }
    }
}
