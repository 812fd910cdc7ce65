namespace QuadEngine.Models;

/// <summary>Finds the best of several epochs.</summary>
static class EpochRanking
{
    /// <summary>Returns the best epoch by a metric, or by the test loss if the metric is null. Of equal epochs it returns the one with the lowest test loss, then the first. NaN is worse than any number. Returns null if there are no epochs.</summary>
    public static EpochMetrics? BestOf(IReadOnlyList<EpochMetrics> history, Metric? by) => history.MaxBy(epoch => (by is null ? 0.0 : Goodness(epoch.Test[by.Name], by.HigherIsBetter), Goodness(epoch.TestLoss, false)));

    static double Goodness(double value, bool higherIsBetter) => double.IsNaN(value) ? double.NegativeInfinity : higherIsBetter ? value : -value;
}
