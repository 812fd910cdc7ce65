using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// Chooses the rank of each layer under a budget, from the spectra of a network of full quadratic forms. The loss of a layer at rank k is its
/// squared relative Frobenius error, and the ranks minimize the sum over layers. Eigenvalues are in descending order, so the next rank of
/// a layer never gains more than the rank before it. So taking the best gain per cost repeatedly gives the optimum, except for the
/// last step.
/// </summary>
public static class RankAllocation
{
    /// <summary>Returns the rank of each layer by path; each rank is at least 1.</summary>
    /// <param name="spectra">The spectra of the layers by path.</param>
    /// <param name="cost">The cost of one more rank in a layer: parameters, or multiply-adds.</param>
    /// <param name="budget">The cost of all ranks together.</param>
    /// <param name="largest">The largest rank of a layer; by default there is no limit.</param>
    /// <exception cref="ArgumentException">The budget is below the cost of one rank for each layer.</exception>
    public static IReadOnlyDictionary<string, int> Choose(IReadOnlyDictionary<string, LayerSpectrum> spectra, Func<string, long> cost, long budget, int largest = int.MaxValue)
    {
        var ranks = spectra.Keys.ToDictionary(path => path, _ => 1);
        var left = budget - spectra.Keys.Sum(cost);
        Check.That(left >= 0, nameof(RankAllocation), $"the budget is {budget:N0} but one rank for each layer costs {spectra.Keys.Sum(cost):N0}.");
        while (true)
        {
            var best = spectra.Keys
                .Where(path => cost(path) <= left && ranks[path] < Math.Min(largest, spectra[path].Eigenvalues[0].Length))
                .Select(path => (Path: path, Gain: Gain(spectra[path], ranks[path]) / cost(path)))
                .DefaultIfEmpty()
                .MaxBy(candidate => candidate.Gain);
            if (best.Path is null || best.Gain <= 0) return ranks;
            ranks[best.Path]++;
            left -= cost(best.Path);
        }
    }

    static double Gain(LayerSpectrum spectrum, int rank) => Squared(spectrum.RelativeError(rank)) - Squared(spectrum.RelativeError(rank + 1));

    static double Squared(double x) => x * x;
}
