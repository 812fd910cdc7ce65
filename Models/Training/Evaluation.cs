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

    /// <summary>Runs every image through the network once, on the network's device, in an <see cref="EvaluationMode"/>: the network stays as it is, and threads may judge it at once.</summary>
    /// <param name="network">[N, H, W, C] to logits [N, classes].</param>
    /// <param name="images">What to judge by.</param>
    /// <param name="batchSize">Images at once; changes speed and memory.</param>
    /// <param name="judged">Told after each batch how many images are done.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="ArgumentException">The data set is empty.</exception>
    public static Evaluation Run(Module network, LabeledImages images, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        using var placed = images.To(network.Device);
        return Run(network, placed, batchSize, judged, cancellation) with { Elapsed = watch.Elapsed };
    }

    /// <summary>The same with a data set that stays on the network's device for further evaluations.</summary>
    /// <inheritdoc cref="Run(Module, LabeledImages, int, Action{int}?, CancellationToken)"/>
    public static Evaluation Run(Module network, DeviceDataset images, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        Check.That(images.Images.Count > 0, nameof(Evaluation), $"{images.Images.Name} has no images to judge by.");
        var result = new Classification(network, images.Images, images.Images).Evaluate(images, batchSize, judged, cancellation);
        return new(result.Loss, (int)Math.Round(result.Metrics[Metric.Accuracy.Name] / 100.0 * result.Examples), result.Examples, result.Elapsed);
    }
}
