namespace QuadEngine.Tests.Oracles;

/// <summary>Batch and layer normalization by the formulas of their papers.</summary>
static class Normalization
{
    /// <summary>
    /// Computes the mean and the biased variance of each group of elements; element i belongs to group(i). Kernels sum deviations from some value between the smallest
    /// and the largest element, so that their errors are relative to the range and to its square.
    /// </summary>
    public static (Approximate[] Mean, Approximate[] Variance) Moments(Approximate[] x, int groups, Func<int, int> group)
    {
        Approximate[] means = new Approximate[groups], variances = new Approximate[groups];
        foreach (var members in x.Select((value, i) => (value, i)).GroupBy(at => group(at.i), at => at.value))
        {
            Approximate[] values = [.. members];
            var mean = values.Average(value => value.Value);
            double error = values.Max(value => value.Error), range = values.Max(value => value.Value) - values.Min(value => value.Value) + 2 * error, rounding = Approximate.OfSum(values.Length + 4);
            means[members.Key] = new(mean, error + rounding * (values.Average(value => Math.Abs(value.Value)) + range));
            variances[members.Key] = new(values.Average(value => (value.Value - mean) * (value.Value - mean)), 2 * rounding * range * range + 2 * range * (error + means[members.Key].Error));
        }

        return (means, variances);
    }

    /// <summary>1 / sqrt(variance + epsilon).</summary>
    public static Approximate[] Rstd(Approximate[] variance, float epsilon) => [.. variance.Select(value => 1 / (value + epsilon).Sqrt())];

    /// <summary>(x - mean) rstd.</summary>
    public static Approximate[] Normalize(float[] x, Approximate[] mean, Approximate[] rstd, Func<int, int> group) => [.. x.Select((value, i) => (value - mean[group(i)]) * rstd[group(i)])];

    /// <summary>dx of the normalization, with g the gradient of its result xhat: (g - mean g - xhat mean (g xhat)) rstd.</summary>
    public static Approximate[] Gradient(Approximate[] g, Approximate[] normalized, Approximate[] rstd, Func<int, int> group)
    {
        var count = (double)g.Length / rstd.Length;
        Approximate[] sum = SumsOf(g, rstd.Length, group), product = SumsOf([.. g.Zip(normalized, (a, b) => a * b)], rstd.Length, group);
        return [.. g.Select((value, i) => (value - sum[group(i)] / count - normalized[i] * (product[group(i)] / count)) * rstd[group(i)])];
    }

    /// <summary>Returns the sum of each group.</summary>
    public static Approximate[] SumsOf(Approximate[] values, int groups, Func<int, int> group)
    {
        var members = values.Select((value, i) => (value, i)).ToLookup(at => group(at.i), at => at.value);
        return [.. Enumerable.Range(0, groups).Select(i => Approximate.Sum(members[i]))];
    }
}
