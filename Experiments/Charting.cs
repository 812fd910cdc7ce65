using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Makes points and curves for the charts of experiments.</summary>
static class Charting
{
    /// <summary>Returns a mean with a band of one deviation to both sides, if there is a deviation.</summary>
    public static ChartPoint Point(double x, Spread spread) => double.IsNaN(spread.Deviation)
        ? new(x, spread.Mean)
        : new(x, spread.Mean, spread.Mean - spread.Deviation, spread.Mean + spread.Deviation);

    /// <summary>Returns a chart with a curve over epochs for each setting: mean and deviation over seeds.</summary>
    public static LineChart Curves(ExperimentRows rows, IEnumerable<string> settings, string measurement, string label) => new("epoch", label,
    [
        .. settings.Select(setting => (Setting: setting, Curves: rows.Curves(setting, measurement))).Where(entry => entry.Curves.Count > 0).Select(entry => Series.Mean(entry.Setting, entry.Curves)),
    ]);
}
