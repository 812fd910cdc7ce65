using System.Runtime.InteropServices;

namespace QuadEngine.Layers;

/// <summary>
/// Estimates the running statistics of batch norms anew, for the present weights ("precise batch norm", Wu and Johnson, arXiv 2105.07576, section 3):
///   mean = 1/K sum_k mean_k,   variance = 1/K sum_k variance_k   over K batches
/// In training, the last 1/momentum steps have the largest weight in the running statistics, and the network's weights were different at each of them. If the learning rate is high and there
/// are few steps, a network that trains well is then evaluated with the statistics of older weights.
/// </summary>
public static class BatchStatistics
{
    /// <summary>
    /// Replaces the running statistics of all batch norms of a network that are in training mode by means over batches of equal weight. Each batch passes
    /// the network once, without gradients. Everything except the batch norms is in inference, so no random number is drawn. The result does not
    /// depend on the previous statistics.
    /// </summary>
    /// <param name="network">The network that is called with each batch. Its parameters do not change.</param>
    /// <param name="batches">The inputs of the network, read one by one; the caller still owns them. They must be whole batches of one size, because all have the same weight.</param>
    /// <returns>The number of batch norms that were estimated; if it is 0, no batch was read.</returns>
    /// <exception cref="ArgumentException">A batch gives a batch norm only one value per channel.</exception>
    public static int Estimate(Module network, IEnumerable<Tensor> batches) => Estimate(network, batches, batch => network.Forward(batch));

    /// <summary>Does the same for batches of any kind.</summary>
    /// <param name="network">The network that is called. Its parameters do not change.</param>
    /// <param name="batches">The batches, read one by one; the caller still owns them. They must be whole batches of one size, because all have the same weight.</param>
    /// <param name="call">Calls the network with a batch. Tensors made in it are dropped.</param>
    /// <inheritdoc cref="Estimate(Module, IEnumerable{Tensor})"/>
    public static int Estimate<TBatch>(ModuleBase network, IEnumerable<TBatch> batches, Action<TBatch> call)
    {
        var layers = network.Modules().Select(entry => entry.Module).OfType<BatchNorm>().Where(layer => layer.Training).Distinct().ToArray();
        if (layers.Length == 0) return 0;
        using var noGrad = new NoGrad();
        using var evaluation = new EvaluationMode();
        var estimate = Ambient<Kind>.Open(new Counts(layers));
        try
        {
            foreach (var batch in batches)
            {
                using var scope = new TensorScope();
                call(batch);
            }
        }
        finally
        {
            Ambient<Kind>.Close(estimate);
        }

        return layers.Length;
    }

    /// <summary>Whether the statistics of the layer are being estimated here.</summary>
    internal static bool IsEstimated(BatchNorm layer) => Ambient<Kind>.Current is Counts counts && counts.Of.ContainsKey(layer);

    /// <summary>The weight of the next batch of a layer that is estimated: 1, 1/2, 1/3, ..., so that all batches have the same weight in the end.</summary>
    internal static float NextWeight(BatchNorm layer) => 1f / ++CollectionsMarshal.GetValueRefOrNullRef(((Counts)Ambient<Kind>.Current!).Of, layer);

    // Counted for each layer, because a network may call one layer twice.
    sealed class Counts(BatchNorm[] layers) : Link
    {
        public Dictionary<BatchNorm, int> Of { get; } = layers.ToDictionary(layer => layer, _ => 0);
    }

    readonly struct Kind;
}
