using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The result of an evaluation of a classifier on a data set, in inference mode.</summary>
/// <param name="Loss">The mean cross-entropy.</param>
/// <param name="Correct">The number of images whose class had the highest logit.</param>
/// <param name="Images">The number of all images.</param>
/// <param name="Elapsed">The duration of the evaluation.</param>
public sealed record Evaluation(double Loss, int Correct, int Images, TimeSpan Elapsed)
{
    /// <summary>The share of correct images, in percent.</summary>
    public double Accuracy => 100.0 * Correct / Images;

    /// <summary>The share of wrong images, in percent.</summary>
    public double Error => 100.0 * (Images - Correct) / Images;

    /// <summary>The number of images per second.</summary>
    public double ImagesPerSecond => Images / Elapsed.TotalSeconds;

    /// <summary>Runs every image through the network once, on the network's device, in an <see cref="EvaluationMode"/>. The network is not changed, and several threads may evaluate it at the same time.</summary>
    /// <param name="network">A network, [N, H, W, C] to logits [N, classes].</param>
    /// <param name="images">The images.</param>
    /// <param name="batchSize">The number of images in a batch; it changes speed and memory.</param>
    /// <param name="judged">Receives the number of images that are done, after each batch.</param>
    /// <param name="cancellation">Cancels the evaluation between two batches.</param>
    /// <exception cref="ArgumentException">The data set is empty.</exception>
    public static Evaluation Run(Module network, LabeledImages images, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        using var placed = images.To(network.Device);
        return Run(network, placed, batchSize, judged, cancellation) with { Elapsed = watch.Elapsed };
    }

    /// <summary>Runs every image of a data set that stays on the network's device for further evaluations through the network once.</summary>
    /// <inheritdoc cref="Run(Module, LabeledImages, int, Action{int}?, CancellationToken)"/>
    public static Evaluation Run(Module network, DeviceDataset images, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        Check.That(images.Images.Count > 0, nameof(Evaluation), $"{images.Images.Name} has no images, but an evaluation needs at least one.");
        var result = new Classification(network, images.Images, images.Images).Evaluate(images, batchSize, judged, cancellation);
        return new(result.Loss, (int)Math.Round(result.Metrics[Metric.Accuracy.Name] / 100.0 * result.Examples), result.Examples, result.Elapsed);
    }
}
