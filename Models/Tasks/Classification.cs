using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>One class of several for each example, or for each of its rows: the loss is the cross-entropy of the logits.</summary>
public class Classification : TrainingTask<Batch<Tensor, IntTensor>>
{
    readonly Module network;

    /// <summary>A task whose metric is <see cref="Metric.Accuracy"/>.</summary>
    /// <param name="network">[N, ...] to logits [N, ..., classes]; trained in place, on its device.</param>
    /// <param name="train">To learn from, such as an <see cref="ImageDataset"/> or <see cref="LabeledImages.Augmented"/>; as many labels as rows of logits.</param>
    /// <param name="test">To judge by after each epoch.</param>
    /// <exception cref="ArgumentException">There are no examples.</exception>
    public Classification(Module network, IExamples<Batch<Tensor, IntTensor>> train, IExamples<Batch<Tensor, IntTensor>> test) : this(network, train, test, [Metric.Accuracy])
    {
    }

    private protected Classification(Module network, IExamples<Batch<Tensor, IntTensor>> train, IExamples<Batch<Tensor, IntTensor>> test, IReadOnlyList<ClassMetric> metrics) : base(network, train, test, metrics) =>
        this.network = network;

    /// <summary>In training, spreads this share of each label over all classes; at least 0 and under 1.</summary>
    public float LabelSmoothing { get; init; }

    internal override ImageDescription? Images => (TrainExamples as LabeledImages ?? (TrainExamples as ImageExamples)?.Images) is { } images
        ? new(images.ClassNames, images.Normalization.Mean, images.Normalization.Std)
        : null;

    /// <inheritdoc/>
    protected override Judgement Judge(Batch<Tensor, IntTensor> batch)
    {
        var logits = network.Forward(batch.Input);
        using var found = logits.ArgMax();
        return new(Losses.CrossEntropy(logits, batch.Target, network.Training ? LabelSmoothing : 0f), [.. Metrics.Select(metric => ((ClassMetric)metric).Of(found, batch.Target))]);
    }
}

/// <summary>A class for each pixel: the loss is the mean cross-entropy over all pixels.</summary>
/// <param name="network">[N, H, W, C] to logits [N, H, W, classes]; trained in place, on its device.</param>
/// <param name="train">To learn from: images [N, H, W, C] and labels [N, H, W].</param>
/// <param name="test">To judge by after each epoch.</param>
/// <param name="classes">Classes to tell apart. By their <see cref="Metric.MeanIntersectionOverUnion"/> an epoch is the best; the accuracy of all pixels is told too.</param>
/// <exception cref="ArgumentException">There are no examples, or no classes.</exception>
public sealed class Segmentation(Module network, IExamples<Batch<Tensor, IntTensor>> train, IExamples<Batch<Tensor, IntTensor>> test, int classes)
    : Classification(network, train, test, [Metric.MeanIntersectionOverUnion(classes), Metric.Accuracy]);
