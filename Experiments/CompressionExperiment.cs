using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Converts full quadratic forms to the efficient neuron, and linear networks to quadratic ones.</summary>
public sealed class CompressionExperiment : Experiment
{
    const string LinearOn = "linear, trained on", LinearToQuadratic = "linear, made quadratic, trained on";

    /// <inheritdoc/>
    public override string Name => "compression";

    /// <inheritdoc/>
    public override string Question => "How far can trained quadratic forms be cut to rank k, and does a trained linear network gain from becoming quadratic?";

    /// <inheritdoc/>
    public override string Method => "A narrow network of full quadratic forms is trained, every M is cut to its k eigenpairs of largest magnitude, and the network is fine-tuned. Then a trained linear network is made quadratic with the same "
        + "outputs (rank 3, Lambda = 0), and both networks are fine-tuned in the same way.";

    /// <inheritdoc/>
    public override IEnumerable<Cell> Cells(ExperimentScale scale, ExperimentData data) => scale.Seeds.SelectMany(seed => (Cell[])
    [
        new("full forms", seed, cancellation =>
        {
            var (network, accuracy) = FullForms.Train(scale, data, seed, cancellation);
            var spectra = Compression.Spectra(network);
            using var probe = NetworkTrial.Probe(scale, data);
            int[] ranks = scale.Size == ExperimentSize.Smoke ? [1, int.MaxValue] : [1, 2, 4, 8, int.MaxValue];
            return [.. ranks.Select(rank =>
            {
                var (compressed, layers) = Compression.Compress(network, spectra, _ => rank, probe);
                return (rank == int.MaxValue ? "k = n" : $"k = {rank}", FullForms.Measure(compressed, layers, accuracy, scale, data, seed, cancellation));
            })];
        }),
        new("linear", seed, cancellation =>
        {
            var network = data.Network(scale, seed, Neurons.Linear);
            var original = NetworkTrial.Run(network, scale, data, seed, cancellation)[NetworkTrial.Accuracy][^1];
            var quadratic = Compression.ToQuadratic(network, rank: 3);
            return [(LinearToQuadratic, TrainOn(quadratic, original)), (LinearOn, TrainOn(network, original))];

            Measurements TrainOn(ResNet network, double original) => FullForms.Measure(network, [new LayerCompression("", 0, 0, 0)], original, scale, data, seed, cancellation);
        }),
    ]);

    /// <inheritdoc/>
    public override void Report(ExperimentPage page, ExperimentRows rows, ExperimentScale scale)
    {
        page.Table(rows, rows.Settings, ("accuracy after fine-tuning, %", NetworkTrial.Accuracy, 1, 2), ("accuracy before fine-tuning, %", "before", 1, 2), ("accuracy of the original, %", "original", 1, 2),
            ("parameters", NetworkTrial.Parameters, 1, 0), ("million multiply-adds", NetworkTrial.MultiplyAdds, 1e-6, 3),
            ("relative Frobenius error, mean over layers", "mean_frobenius_error", 1, 4), ("relative output error, mean over layers", "mean_output_error", 1, 4));
        var ranks = rows.Settings.Where(setting => setting.StartsWith("k = ", StringComparison.Ordinal)).ToArray();
        page.Chart(new LineChart("layer", "relative Frobenius error", [.. ranks.Select(setting => Series.Mean(setting, rows.Curves(setting, "frobenius_errors")))]));
        page.Chart(new LineChart("layer", "relative output error", [.. ranks.Select(setting => Series.Mean(setting, rows.Curves(setting, "output_errors")))]));
        foreach (var setting in ranks)
            page.Conclude($"{setting}: {rows.Spread(setting, "before").ToString(2)} % right after the cut and {rows.Spread(setting, NetworkTrial.Accuracy).ToString(2)} % after fine-tuning; {rows.Spread(setting, "original").ToString(2)} % with full forms. The relative error of a neuron's form is {rows.Spread(setting, "mean_frobenius_error").ToString(3)}.");
        if (rows.Settings.Contains(LinearToQuadratic)) page.Compare(rows, LinearToQuadratic, LinearOn);
    }
}
