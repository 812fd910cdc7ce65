using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Compares a rank for each layer with one rank for all.</summary>
public sealed class LayerRank : Experiment
{
    /// <inheritdoc/>
    public override string Name => "layer-rank";

    /// <inheritdoc/>
    public override string Question => "Given a budget, is a rank for each layer better than one rank for all?";

    /// <inheritdoc/>
    public override string Method => "A narrow network of full quadratic forms is trained and compressed to rank k in every layer, for several k. The multiply-adds of each are a budget. Within the same budget "
        + "a rank is chosen for each layer from the spectra (the largest fall of squared relative error for its cost comes first). Both networks are fine-tuned in the same way.";

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data) => scale.Seeds.Select(seed => new Cell("network", seed, cancellation =>
    {
        var (network, accuracy) = FullForms.Train(scale, data, seed, cancellation);
        var spectra = Compression.Spectra(network);
        using var probe = NetworkTrial.Probe(scale, data);
        var costs = CostOfOneRank(network, data);
        var results = new List<(string, Measurements)>();
        foreach (var rank in Ranks(scale))
        {
            var ranks = RankAllocation.Choose(spectra, path => costs[path], rank * costs.Values.Sum());
            results.Add(($"fixed, budget of k = {rank}", Measure(_ => rank)));
            results.Add(($"by layer, budget of k = {rank}", Measure(path => ranks[path])));
        }

        return results;

        Measurements Measure(Func<string, int> rank)
        {
            var (compressed, layers) = Compression.Compress(network, spectra, rank, probe);
            return FullForms.Measure(compressed, layers, accuracy, scale, data, seed, cancellation);
        }
    }));

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy after fine-tuning, %", NetworkTrial.Accuracy, 1, 2), ("accuracy before fine-tuning, %", "before", 1, 2), ("accuracy of the full forms, %", "original", 1, 2),
            ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3), ("parameters", NetworkTrial.Parameters, 1, 0), ("relative Frobenius error, mean over layers", "mean_frobenius_error", 1, 3));
        page.Table(["seed", "setting", "rank of each layer"], rows.All.Where(row => row.Setting.StartsWith("by layer", StringComparison.Ordinal)).Select(row =>
            (IReadOnlyList<string>)[row.Seed.ToString(System.Globalization.CultureInfo.InvariantCulture), row.Setting, string.Join(", ", row.Values["ranks"])]));
        foreach (var (measurement, label) in (ReadOnlySpan<(string, string)>)[("before", "accuracy before fine-tuning, %"), (NetworkTrial.Accuracy, "accuracy after fine-tuning, %")])
            page.Chart(new LineChart("million multiply-adds", label,
            [
                .. ((string[])["fixed", "by layer"]).Select(kind => new Series(kind, [.. rows.Settings.Where(setting => setting.StartsWith(kind, StringComparison.Ordinal))
                    .Select(setting => Charting.Point(rows.Spread(setting, NetworkTrial.MultiplyAdds).Mean / 1e6, rows.Spread(setting, measurement)))])),
            ]));
        foreach (var rank in Ranks(scale)) page.Compare(rows, $"by layer, budget of k = {rank}", $"fixed, budget of k = {rank}");
    }

    static int[] Ranks(ExperimentScale scale) => scale.Size switch { ExperimentSize.Smoke => [2], ExperimentSize.Small or ExperimentSize.Medium => [1, 2, 4], ExperimentSize.Full => [1, 2, 4, 8, 16], _ => throw ExperimentScale.Unknown(scale.Size) };

    // The multiply-adds of one more rank in every neuron of a layer, over its output pixels.
    static Dictionary<string, long> CostOfOneRank(ResNet network, ExperimentData data)
    {
        var modules = network.Modules().ToDictionary(entry => entry.Path, entry => entry.Module);
        return CostModel.Of(network, data.InputShape).Layers.Where(layer => modules[layer.Path] is FullQuadraticLayer).ToDictionary(layer => layer.Path, layer =>
        {
            var (projection, options) = (((NeuronLayer)modules[layer.Path]).Projection, new QuadraticOptions { Vectorized = false });
            long Of(int rank) => Neurons.Quadratic(rank, options).Cost(projection.FanIn, projection.OutChannels).MultiplyAdds;
            return layer.Output.Rows * (Of(2) - Of(1));
        });
    }
}
