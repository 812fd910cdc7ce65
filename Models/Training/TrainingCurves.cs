namespace QuadEngine.Models;

/// <summary>The picture of a run: loss and metrics over the epochs, on training and on test examples.</summary>
public static class TrainingCurves
{
    const double Outlier = 10.0;

    /// <summary>As SVG. The loss is on a logarithmic scale where one epoch's would flatten all others.</summary>
    /// <param name="title">Above the charts.</param>
    /// <param name="history">Epoch after epoch.</param>
    /// <param name="metrics">Those of the task, each a chart.</param>
    public static string ToSvg(string title, IReadOnlyList<EpochMetrics> history, IReadOnlyList<Metric> metrics) => SvgFigure.Draw(title,
        [
            Chart("loss", history, epoch => epoch.TrainLoss, epoch => epoch.TestLoss) with { LogarithmicY = HasOutlier([.. history.SelectMany(epoch => new[] { epoch.TrainLoss, epoch.TestLoss })]) },
            .. metrics.Select(metric => Chart(Label(metric), history, epoch => epoch.Train[metric.Name], epoch => epoch.Test[metric.Name])),
        ]);

    static string Label(Metric metric) => metric.Name.Replace('_', ' ') + (metric.Unit.Length > 0 ? $", {metric.Unit}" : "");

    static bool HasOutlier(double[] losses)
    {
        double[] ordered = [.. losses.Where(double.IsFinite).Order()];
        return ordered.Length > 0 && ordered[0] > 0.0 && ordered[^1] > Outlier * ordered[ordered.Length / 2];
    }

    static LineChart Chart(string label, IReadOnlyList<EpochMetrics> history, Func<EpochMetrics, double> train, Func<EpochMetrics, double> test) =>
        new("epoch", label, [Series.Of("training", history.Select(train)) with { Dashed = true }, Series.Of("test", history.Select(test))]);
}
