using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>What experiments draw again and again.</summary>
static class Charting
{
    /// <summary>A mean with a band of one deviation to both sides, where there is one.</summary>
    public static ChartPoint Point(double x, Spread spread) => double.IsNaN(spread.Deviation)
        ? new(x, spread.Mean)
        : new(x, spread.Mean, spread.Mean - spread.Deviation, spread.Mean + spread.Deviation);

    /// <summary>A curve over epochs for each setting, mean and deviation over seeds.</summary>
    public static LineChart Curves(ExperimentRows rows, IEnumerable<string> settings, string measurement, string label) => new("epoch", label,
    [
        .. settings.Select(setting => (Setting: setting, Curves: rows.Curves(setting, measurement))).Where(entry => entry.Curves.Count > 0).Select(entry => Series.Mean(entry.Setting, entry.Curves)),
    ]);
}
