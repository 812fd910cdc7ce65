using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Finds the cheapest quadratic network that is as good as the linear one.</summary>
public sealed class EqualAccuracy : Experiment
{
    const int Rank = 3;

    /// <inheritdoc/>
    public override string Name => "equal-accuracy";

    /// <inheritdoc/>
    public override string Question => "How much cheaper is the quadratic network that reaches the linear network's accuracy?";

    /// <inheritdoc/>
    public override string Method => $"Linear networks and quadratic ones of rank {Rank} are trained in the same way, at several depths and widths. Both kinds vary, so that a linear network that is cheaper and as good counts too.";

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data)
    {
        (int Depth, int Width)[] shapes = scale.Size switch
        {
            ExperimentSize.Smoke => [(8, 3), (8, 4)],
            ExperimentSize.Small or ExperimentSize.Medium => [(8, 4), (8, 6), (8, 8), (14, 6)],
            ExperimentSize.Full => [(8, 16), (14, 16), (20, 10), (20, 12), (20, 14), (20, 16), (26, 16), (32, 16)],
            _ => throw ExperimentScale.Unknown(scale.Size),
        };
        return Train(scale, data,
            from shape in shapes
            from neuron in new[] { Neurons.Linear, Neurons.Quadratic(Rank) }
            select ($"{neuron.Name} {shape.Depth}x{shape.Width}", Of(neuron, shape.Depth, shape.Width)));

        Func<ulong, ResNet> Of(Neuron neuron, int depth, int width) => seed => data.Network(scale, seed, neuron, depth: depth, width: width);
    }

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Text("Settings are depth x width.");
        page.Table(rows, rows.Settings, ("accuracy, %", NetworkTrial.Accuracy, 1, 2), ("parameters", NetworkTrial.Parameters, 1, 0),
            ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3), ("ms per step", StepTime.Milliseconds, 1, 1));
        page.Text(StepTime.Describe(scale));
        page.Chart(new LineChart("million multiply-adds", "test accuracy, %",
        [
            .. ((string[])["linear", "quadratic"]).Select(kind => new Series(kind,
                [.. Of(rows, kind).OrderBy(setting => Cost(rows, setting)).Select(setting => Charting.Point(Cost(rows, setting) / 1e6, rows.Spread(setting, NetworkTrial.Accuracy)))])),
        ]) { LogarithmicX = scale.Size == ExperimentSize.Full });

        foreach (var target in Of(rows, "linear"))
        {
            var goal = rows.Spread(target, NetworkTrial.Accuracy);
            var reaching = Of(rows, "quadratic").Where(setting => rows.Spread(setting, NetworkTrial.Accuracy).Mean >= goal.Mean).ToArray();
            var cheapest = reaching.MinBy(setting => Cost(rows, setting));
            page.Conclude(cheapest is null
                ? $"None of these quadratic networks reaches the mean of {target} ({goal.ToString(2)} %)."
                : $"The cheapest quadratic network whose mean reaches that of {target} ({goal.ToString(2)} %) is {cheapest} ({rows.Spread(cheapest, NetworkTrial.Accuracy).ToString(2)} %), at {Cost(rows, cheapest) / Cost(rows, target):0.00} times its multiply-adds"
                    + (rows.Spread(cheapest, NetworkTrial.Accuracy).DiffersFrom(goal) ? "." : "; the two do not differ by more than the spread over seeds."));
        }
    }

    static IEnumerable<string> Of(ExperimentRows rows, string kind) => rows.Settings.Where(setting => setting.StartsWith(kind, StringComparison.Ordinal));

    static double Cost(ExperimentRows rows, string setting) => rows.Spread(setting, NetworkTrial.MultiplyAdds).Mean;
}
