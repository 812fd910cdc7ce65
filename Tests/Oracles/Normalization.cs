namespace QuadEngine.Tests.Oracles;

/// <summary>Batch and layer normalisation in double precision, as their papers have them.</summary>
static class Normalization
{
    /// <summary>Mean and biased variance of each group of elements; element i belongs to group(i).</summary>
    public static (double[] Mean, double[] Variance) Moments(float[] x, int groups, Func<int, int> group)
    {
        double[] mean = new double[groups], variance = new double[groups];
        var count = (double)x.Length / groups;
        for (var i = 0; i < x.Length; i++) mean[group(i)] += x[i] / count;
        for (var i = 0; i < x.Length; i++) variance[group(i)] += (x[i] - mean[group(i)]) * (x[i] - mean[group(i)]) / count;
        return (mean, variance);
    }

    /// <summary>y = (x - mean) / sqrt(variance + epsilon).</summary>
    public static double[] Normalise(float[] x, double[] mean, double[] variance, double epsilon, Func<int, int> group) =>
        [.. x.Select((value, i) => (value - mean[group(i)]) / Math.Sqrt(variance[group(i)] + epsilon))];

    /// <summary>dx of the normalisation, with g the gradient of its result xhat: (g - mean g - xhat mean (g xhat)) / sigma.</summary>
    public static double[] Gradient(double[] g, double[] normalised, double[] variance, double epsilon, Func<int, int> group)
    {
        double[] sum = new double[variance.Length], product = new double[variance.Length];
        var count = (double)g.Length / variance.Length;
        for (var i = 0; i < g.Length; i++)
        {
            sum[group(i)] += g[i] / count;
            product[group(i)] += g[i] * normalised[i] / count;
        }

        return [.. g.Select((value, i) => (value - sum[group(i)] - normalised[i] * product[group(i)]) / Math.Sqrt(variance[group(i)] + epsilon))];
    }
}
