namespace QuadEngine.Benchmarks;

/// <summary>Statistics of repeated measurements.</summary>
public static class Statistics
{
    /// <summary>The middle of the sorted values, or the mean of the two middle values if their number is even.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}
