using System.Runtime.InteropServices;

namespace QuadEngine.Layers;

/// <summary>
/// Running statistics of batch norms, estimated anew for the weights as they are ("precise batch norm", Wu and Johnson, arXiv 2105.07576, section 3):
///   mean = 1/K sum_k mean_k,   variance = 1/K sum_k variance_k   over K batches
/// The running mean of training weighs the last 1/momentum steps most, and the weights were others at each. Where the learning rate is high and the
/// steps are few, a network that trains well is then judged with statistics of networks that are gone.
/// </summary>
public static class BatchStatistics
{
    /// <summary>
    /// Replaces the running statistics of all batch norms of a network that are in training mode by equal-weighted means over batches. Each batch passes
    /// the network once, without gradients and with everything but the batch norms in inference, so that no random number is drawn. The result does not
    /// depend on the statistics of before.
    /// </summary>
    /// <param name="network">Called with each batch; its parameters stay as they are.</param>
    /// <param name="batches">Inputs of the network, read one by one; they stay the caller's. Whole batches of one size, since all weigh the same.</param>
    /// <returns>The number of batch norms that were estimated; where it is 0, no batch was read.</returns>
    /// <exception cref="ArgumentException">A batch gives a batch norm a single value a channel.</exception>
    public static int Estimate(Module network, IEnumerable<Tensor> batches) => Estimate(network, batches, batch => network.Forward(batch));

    /// <summary>The same for batches of any kind.</summary>
    /// <param name="network">The one that is called; its parameters stay as they are.</param>
    /// <param name="batches">Read one by one; they stay the caller's. Whole batches of one size, since all weigh the same.</param>
    /// <param name="call">Calls the network with a batch; what it makes is dropped.</param>
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

    /// <summary>The statistics of the layer are being estimated here.</summary>
    internal static bool IsEstimated(BatchNorm layer) => Ambient<Kind>.Current is Counts counts && counts.Of.ContainsKey(layer);

    /// <summary>The weight of the next batch of a layer that is estimated: 1, 1/2, 1/3, ..., so that all weigh the same in the end.</summary>
    internal static float NextWeight(BatchNorm layer) => 1f / ++CollectionsMarshal.GetValueRefOrNullRef(((Counts)Ambient<Kind>.Current!).Of, layer);

    // Counted for each layer, since a network may call one twice.
    sealed class Counts(BatchNorm[] layers) : Link
    {
        public Dictionary<BatchNorm, int> Of { get; } = layers.ToDictionary(layer => layer, _ => 0);
    }

    readonly struct Kind;
}
