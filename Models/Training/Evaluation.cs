using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>How well a network tells the classes of a data set apart, in inference mode.</summary>
/// <param name="Loss">Mean cross-entropy.</param>
/// <param name="Correct">Images whose class had the highest logit.</param>
/// <param name="Images">All images.</param>
/// <param name="Elapsed">Time it took.</param>
public sealed record Evaluation(double Loss, int Correct, int Images, TimeSpan Elapsed)
{
    /// <summary>In percent.</summary>
    public double Accuracy => 100.0 * Correct / Images;

    /// <summary>In percent.</summary>
    public double Error => 100.0 * (Images - Correct) / Images;

    /// <summary>Images judged in a second.</summary>
    public double ImagesPerSecond => Images / Elapsed.TotalSeconds;

    /// <summary>Runs every image through the network once, on the network's device, and leaves each of its modules in the mode it was in.</summary>
    /// <param name="network">[N, H, W, C] to logits [N, classes].</param>
    /// <param name="images">What to judge by.</param>
    /// <param name="batchSize">Images at once; changes speed and memory.</param>
    /// <param name="judged">Told after each batch how many images are done.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="ArgumentException">The data set is empty.</exception>
    public static Evaluation Run(Module network, LabelledImages images, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        Check.That(images.Count > 0, nameof(Evaluation), $"{images.Name} has no images to judge by.");
        var modes = network.Modules().Select(entry => (entry.Module, entry.Module.Training)).ToArray();
        var watch = Stopwatch.StartNew();
        var (lossSum, correct, count) = (0.0, 0, 0);
        network.Eval();
        try
        {
            using var noGrad = new NoGrad();
            foreach (var batch in images.Batches(batchSize, device: network.Device))
            {
                cancellation.ThrowIfCancellationRequested();
                using var owned = batch;
                using var scope = new TensorScope();
                var logits = network.Forward(batch.Images);
                lossSum += (double)Losses.CrossEntropy(logits, batch.Labels).Item() * batch.Labels.Length;
                correct += CountCorrect(logits, batch.Labels);
                count += batch.Labels.Length;
                judged?.Invoke(count);
            }
        }
        finally
        {
            foreach (var (module, training) in modes) module.Train(training);       // parents come first, so each ends in its own
        }

        return new(lossSum / count, correct, count, watch.Elapsed);
    }

    /// <summary>Rows of logits [N, classes] whose highest is at the label.</summary>
    internal static int CountCorrect(Tensor logits, IntTensor labels)
    {
        using var found = logits.ArgMax();
        return found.ToArray().Zip(labels.ToArray()).Count(pair => pair.First == pair.Second);
    }
}
