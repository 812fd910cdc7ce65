namespace QuadEngine.Models;

/// <summary>The picture of a run: loss and accuracy over the epochs, on training images and on test images.</summary>
public static class TrainingCurves
{
    /// <summary>As SVG.</summary>
    public static string ToSvg(string title, IReadOnlyList<EpochMetrics> history) => SvgFigure.Draw(title,
        Chart("loss", history, epoch => epoch.TrainLoss, epoch => epoch.TestLoss),
        Chart("accuracy, %", history, epoch => epoch.TrainAccuracy, epoch => epoch.TestAccuracy));

    static LineChart Chart(string label, IReadOnlyList<EpochMetrics> history, Func<EpochMetrics, double> train, Func<EpochMetrics, double> test) =>
        new("epoch", label, [Series.Of("training", history.Select(train)) with { Dashed = true }, Series.Of("test", history.Select(test))]);
}
