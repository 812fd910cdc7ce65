using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The task to find one of several classes for each example, or for each row of logits. The loss is the cross-entropy of the logits.</summary>
public class Classification : TrainingTask<Batch<Tensor, IntTensor>>
{
    readonly Module network;

    /// <summary>Creates a task whose metric is <see cref="Metric.Accuracy"/>.</summary>
    /// <param name="network">A network, [N, ...] to logits [N, ..., classes]. It is trained in place, on its device.</param>
    /// <param name="train">The training examples, such as an <see cref="ImageDataset"/> or <see cref="LabeledImages.Augmented"/>, with one label for each row of logits.</param>
    /// <param name="test">The test examples for the evaluation after each epoch.</param>
    /// <exception cref="ArgumentException">There are no examples.</exception>
    public Classification(Module network, IExamples<Batch<Tensor, IntTensor>> train, IExamples<Batch<Tensor, IntTensor>> test) : this(network, train, test, [Metric.Accuracy])
    {
    }

    private protected Classification(Module network, IExamples<Batch<Tensor, IntTensor>> train, IExamples<Batch<Tensor, IntTensor>> test, IReadOnlyList<ClassMetric> metrics) : base(network, train, test, metrics) =>
        this.network = network;

    /// <summary>The share of each label that is spread over all classes in training; at least 0 and below 1.</summary>
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

/// <summary>The task to find a class for each pixel. The loss is the mean cross-entropy over all pixels.</summary>
/// <param name="network">A network, [N, H, W, C] to logits [N, H, W, classes]. It is trained in place, on its device.</param>
/// <param name="train">The training examples: images [N, H, W, C] and labels [N, H, W].</param>
/// <param name="test">The test examples for the evaluation after each epoch.</param>
/// <param name="classes">The number of classes. The best epoch is the one with the best <see cref="Metric.MeanIntersectionOverUnion"/>; the second metric is the accuracy over all pixels.</param>
/// <exception cref="ArgumentException">There are no examples, or no classes.</exception>
public sealed class Segmentation(Module network, IExamples<Batch<Tensor, IntTensor>> train, IExamples<Batch<Tensor, IntTensor>> test, int classes)
    : Classification(network, train, test, [Metric.MeanIntersectionOverUnion(classes), Metric.Accuracy]);
