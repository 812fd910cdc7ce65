using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The task to predict numbers for each example. The loss is the mean squared error. The metrics are the mean absolute error, which decides the best epoch, and the root of the mean squared error.</summary>
/// <param name="network">A network, [N, ...] to the shape of the targets [N, ...]. It is trained in place, on its device.</param>
/// <param name="train">The training examples.</param>
/// <param name="test">The test examples for the evaluation after each epoch.</param>
/// <exception cref="ArgumentException">There are no examples.</exception>
public sealed class Regression(Module network, IExamples<Batch<Tensor, Tensor>> train, IExamples<Batch<Tensor, Tensor>> test)
    : TrainingTask<Batch<Tensor, Tensor>>(network, train, test, Metric.MeanAbsoluteError, Metric.RootMeanSquareError)
{
    /// <inheritdoc/>
    protected override Judgement Judge(Batch<Tensor, Tensor> batch)
    {
        var y = network.Forward(batch.Input);
        return new(Losses.MeanSquaredError(y, batch.Target), Metric.MeanAbsoluteError.Of(y, batch.Target), Metric.RootMeanSquareError.Of(y, batch.Target));
    }
}

/// <summary>The task to decide several yes-or-no labels for each example. The loss is the mean binary cross-entropy of the logits. The metrics are <see cref="Metric.F1"/>, which decides the best epoch, and the share of labels that are correct.</summary>
/// <param name="network">A network, [N, ...] to logits [N, labels]. It is trained in place, on its device.</param>
/// <param name="train">The training examples, with targets [N, labels] of 0 and 1.</param>
/// <param name="test">The test examples for the evaluation after each epoch.</param>
/// <exception cref="ArgumentException">There are no examples.</exception>
public sealed class MultiLabelClassification(Module network, IExamples<Batch<Tensor, Tensor>> train, IExamples<Batch<Tensor, Tensor>> test)
    : TrainingTask<Batch<Tensor, Tensor>>(network, train, test, Metric.F1, Metric.LabelAccuracy)
{
    /// <inheritdoc/>
    protected override Judgement Judge(Batch<Tensor, Tensor> batch)
    {
        var logits = network.Forward(batch.Input);
        return new(Losses.BinaryCrossEntropyWithLogits(logits, batch.Target), Metric.F1.Of(logits, batch.Target), Metric.LabelAccuracy.Of(logits, batch.Target));
    }
}
