namespace QuadEngine.Models;

/// <summary>The picture of a run: loss and accuracy over the epochs, on training images and on test images.</summary>
public static class TrainingCurves
{
    const double Outlier = 10.0;

    /// <summary>As SVG. The loss is on a logarithmic scale where one epoch's would flatten all others.</summary>
    /// <param name="title">Above both charts.</param>
    /// <param name="history">Epoch after epoch.</param>
    public static string ToSvg(string title, IReadOnlyList<EpochMetrics> history) => SvgFigure.Draw(title,
        Chart("loss", history, epoch => epoch.TrainLoss, epoch => epoch.TestLoss) with { LogarithmicY = HasOutlier([.. history.SelectMany(epoch => new[] { epoch.TrainLoss, epoch.TestLoss })]) },
        Chart("accuracy, %", history, epoch => epoch.TrainAccuracy, epoch => epoch.TestAccuracy));

    static bool HasOutlier(double[] losses)
    {
        double[] ordered = [.. losses.Where(double.IsFinite).Order()];
        return ordered.Length > 0 && ordered[0] > 0.0 && ordered[^1] > Outlier * ordered[ordered.Length / 2];
    }

    static LineChart Chart(string label, IReadOnlyList<EpochMetrics> history, Func<EpochMetrics, double> train, Func<EpochMetrics, double> test) =>
        new("epoch", label, [Series.Of("training", history.Select(train)) with { Dashed = true }, Series.Of("test", history.Select(test))]);
}
