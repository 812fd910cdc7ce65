namespace QuadEngine.Models;

/// <summary>Draws a run: loss and metrics over the epochs, on training and on test examples.</summary>
public static class TrainingCurves
{
    const double Outlier = 10.0;

    /// <summary>Returns the picture as SVG. The scale of the loss is logarithmic if the loss of one epoch would flatten all others.</summary>
    /// <param name="title">The title above the charts.</param>
    /// <param name="history">The epochs in order.</param>
    /// <param name="metrics">The metrics of the task; each gets a chart.</param>
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
