using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>Trains and measures networks of full quadratic forms for the experiments that compress them. The networks are narrow, so that their training is possible.</summary>
static class FullForms
{
    /// <summary>Returns the width of the network of full forms for each size.</summary>
    public static int Width(ExperimentScale scale) => scale.Size switch { ExperimentSize.Smoke => 2, ExperimentSize.Small or ExperimentSize.Medium => 3, ExperimentSize.Full => 8, _ => throw ExperimentScale.Unknown(scale.Size) };

    /// <summary>Trains a network, and returns it with its last accuracy. M learns at a tenth of the rate of w, so that there is something to compress.</summary>
    public static (ResNet Network, double Accuracy) Train(ExperimentScale scale, ExperimentData data, ulong seed, CancellationToken cancellation)
    {
        var network = data.Network(scale, seed, Neurons.FullQuadratic(learningRate: 0.1f), depth: 8, width: Width(scale));
        var measured = NetworkTrial.Run(network, scale, data, seed, cancellation, options => options with { ClipNorm = 5f });
        return (network, measured[NetworkTrial.Accuracy][^1]);
    }

    /// <summary>Measures a compressed network: cost, errors, and accuracy before and after fine-tuning.</summary>
    public static Measurements Measure(ResNet network, IReadOnlyList<LayerCompression> layers, double original, ExperimentScale scale, ExperimentData data, ulong seed, CancellationToken cancellation)
    {
        var cost = CostModel.Of(network, data.InputShape);
        var before = Evaluation.Run(network, data.Test, scale.Training.BatchSize, cancellation: cancellation).Accuracy;
        return new Measurements
        {
            { "original", original },
            { "before", before },
            { NetworkTrial.Accuracy, NetworkTrial.FineTune(network, scale, data, seed, cancellation) },
            { NetworkTrial.Parameters, cost.Parameters },
            { NetworkTrial.MultiplyAdds, cost.MultiplyAdds },
            { "mean_frobenius_error", layers.Average(layer => layer.FrobeniusError) },
            { "mean_output_error", layers.Average(layer => layer.OutputError) },
            { "frobenius_errors", [.. layers.Select(layer => layer.FrobeniusError)] },
            { "output_errors", [.. layers.Select(layer => layer.OutputError)] },
            { "ranks", [.. layers.Select(layer => (double)layer.Rank)] },
        };
    }
}
