using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// The rank of each layer under a budget, from the spectra of a network of full quadratic forms. A layer's loss at rank k is its
/// squared relative Frobenius error, and the ranks minimise the sum over layers. Eigenvalues come in falling order, so the next rank of
/// a layer never gains more than the one before, and taking the best gain for its cost, again and again, is the optimum but for the
/// last step.
/// </summary>
public static class RankAllocation
{
    /// <summary>Ranks by layer; each is at least 1.</summary>
    /// <param name="spectra">Of the layers, by path.</param>
    /// <param name="cost">Of one rank more in a layer: parameters, or multiply-adds.</param>
    /// <param name="budget">For all ranks together.</param>
    /// <param name="largest">No layer gets more.</param>
    /// <exception cref="ArgumentException">The budget is below one rank a layer.</exception>
    public static IReadOnlyDictionary<string, int> Choose(IReadOnlyDictionary<string, LayerSpectrum> spectra, Func<string, long> cost, long budget, int largest = int.MaxValue)
    {
        var ranks = spectra.Keys.ToDictionary(path => path, _ => 1);
        var left = budget - spectra.Keys.Sum(cost);
        Check.That(left >= 0, nameof(RankAllocation), $"the budget is {budget:N0} but one rank a layer costs {spectra.Keys.Sum(cost):N0}.");
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
