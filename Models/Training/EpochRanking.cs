namespace QuadEngine.Models;

/// <summary>Which of several epochs is the best.</summary>
static class EpochRanking
{
    /// <summary>The best by a metric, or by the test loss where there is none; of equal ones that of the lowest test loss, then the first. NaN is worse than any number. Null of no epochs.</summary>
    public static EpochMetrics? BestOf(IReadOnlyList<EpochMetrics> history, Metric? by) => history.MaxBy(epoch => (by is null ? 0.0 : Goodness(epoch.Test[by.Name], by.HigherIsBetter), Goodness(epoch.TestLoss, false)));

    static double Goodness(double value, bool higherIsBetter) => double.IsNaN(value) ? double.NegativeInfinity : higherIsBetter ? value : -value;
}
