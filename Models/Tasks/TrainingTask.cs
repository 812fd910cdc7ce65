using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The task of a <see cref="Trainer"/>: a network, training and test examples, a loss, and metrics. Derive <see cref="TrainingTask{TBatch}"/> to write your own.</summary>
public abstract class TrainingTask
{
    private protected TrainingTask(ModuleBase network, IReadOnlyList<Metric> metrics)
    {
        Check.That(metrics.Select(metric => metric.Name).Append(LossName).Distinct().Count() == metrics.Count + 1, GetType().Name,
            $"the names of its metrics are {string.Join(", ", metrics.Select(metric => metric.Name))}, expected different names, and no metric named \"{LossName}\".");
        (Network, Metrics) = (network, metrics);
    }

    internal const string LossName = "loss";

    /// <summary>The network, which is trained in place, on its device.</summary>
    public ModuleBase Network { get; }

    /// <summary>The metrics that are reported for each epoch beside the loss. The first metric decides the best epoch, unless an option names another.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>The description of the network's images, for checkpoints; null if it reads no images.</summary>
    internal virtual ImageDescription? Images => null;

    internal abstract IPart Train { get; }

    internal abstract IPart Test { get; }

    internal abstract Judgement JudgeAny(object batch);

    /// <summary>Examples with any kind of batch.</summary>
    internal interface IPart
    {
        string Name { get; }

        int Count { get; }

        IPlaced To(Device device);
    }

    /// <summary>Examples on a device.</summary>
    internal interface IPlaced : IDisposable
    {
        Device Device { get; }

        IEnumerable<object> Batches(EpochOrder order);
    }
}

/// <summary>The results of a task for a batch.</summary>
/// <param name="Loss">The loss to minimize, of shape []: the mean over the batch.</param>
/// <param name="Measures">The task's metrics for the batch, in their order.</param>
public readonly record struct Judgement(Tensor Loss, params IReadOnlyList<Measure> Measures);

/// <summary>
/// The base of your own tasks: a derived class computes the loss of a batch. The batch and the network may be of any kind.
/// <code>
/// sealed class Distance(Module network, IExamples&lt;Batch&lt;Tensor, Tensor&gt;&gt; train, IExamples&lt;Batch&lt;Tensor, Tensor&gt;&gt; test)
///     : TrainingTask&lt;Batch&lt;Tensor, Tensor&gt;&gt;(network, train, test, Metric.MeanAbsoluteError)
/// {
///     protected override Judgement Judge(Batch&lt;Tensor, Tensor&gt; batch)
///     {
///         var y = network[batch.Input];
///         return new((y - batch.Target).Abs().Mean(), Metric.MeanAbsoluteError.Of(y, batch.Target));
///     }
/// }
/// </code>
/// </summary>
/// <typeparam name="TBatch">The type of a batch: <see cref="Batch{TInput, TTarget}"/>, or a record of tensors that implements <see cref="ITensorTuple"/>.</typeparam>
public abstract class TrainingTask<TBatch> : TrainingTask
{
    /// <summary>Creates a task.</summary>
    /// <param name="network">The network, which is trained in place, on its device.</param>
    /// <param name="train">The training examples.</param>
    /// <param name="test">The test examples for the evaluation after each epoch.</param>
    /// <param name="metrics">The metrics that are reported for each epoch beside the loss; the first metric decides the best epoch.</param>
    /// <exception cref="ArgumentException">Two metrics have the same name, or there are no examples.</exception>
    protected TrainingTask(ModuleBase network, IExamples<TBatch> train, IExamples<TBatch> test, params IReadOnlyList<Metric> metrics) : base(network, metrics)
    {
        Check.That(train.Count > 0, GetType().Name, $"{train.Name} has no examples, but training needs at least one.");
        Check.That(test.Count > 0, GetType().Name, $"{test.Name} has no examples, but an evaluation needs at least one.");
        (TrainExamples, TestExamples) = (train, test);
    }

    /// <summary>The training examples.</summary>
    public IExamples<TBatch> TrainExamples { get; }

    /// <summary>The test examples for the evaluation after each epoch.</summary>
    public IExamples<TBatch> TestExamples { get; }

    /// <summary>
    /// Computes the loss and the metrics of a batch. In training (<c>Network.Training</c>) the loss is differentiated; otherwise no gradients are recorded. Tensors made here
    /// are dropped after the call. The method must not read values, because a GPU would then wait in each step.
    /// </summary>
    /// <param name="batch">The batch, on the network's device. The caller disposes it.</param>
    protected abstract Judgement Judge(TBatch batch);

    /// <summary>Computes loss and metrics over examples, in inference mode. The network is not changed, and several threads may evaluate it at the same time.</summary>
    /// <param name="examples">The examples; null for the test examples of the task.</param>
    /// <param name="batchSize">The number of examples in a batch; it changes speed and memory.</param>
    /// <param name="judged">Receives the number of examples that are done, after each batch.</param>
    /// <param name="cancellation">Cancels the evaluation between two batches.</param>
    /// <exception cref="ArgumentException">There are no examples.</exception>
    public TaskEvaluation Evaluate(IExamples<TBatch>? examples = null, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        examples ??= TestExamples;
        Check.That(examples.Count > 0, GetType().Name, $"{examples.Name} has no examples, but an evaluation needs at least one.");
        using var placed = examples.To(Network.Device);
        return Evaluate(placed, batchSize, judged, cancellation);
    }

    internal TaskEvaluation Evaluate(IPlacedExamples<TBatch> examples, int batchSize, Action<int>? judged, CancellationToken cancellation) =>
        TaskEvaluation.Run(this, new Placed(examples), batchSize, judged, cancellation);

    internal sealed override IPart Train => new Part(TrainExamples);

    internal sealed override IPart Test => new Part(TestExamples);

    internal sealed override Judgement JudgeAny(object batch)
    {
        var judgement = Judge((TBatch)batch);
        Check.That(judgement.Loss.Length == 1, GetType().Name, $"the loss has shape {judgement.Loss.Shape}, expected one number. Reduce it with Mean().");
        Check.That(judgement.Measures.Select(measure => measure.Metric).SequenceEqual(Metrics), GetType().Name,
            $"it measured {Names(judgement.Measures.Select(measure => measure.Metric))}, expected its metrics, {Names(Metrics)}, in their order. Give {nameof(Judgement)} one of each.");
        return judgement;

        static string Names(IEnumerable<Metric> metrics) => string.Join(", ", metrics.Select(metric => metric.Name).DefaultIfEmpty("nothing"));
    }

    sealed class Part(IExamples<TBatch> examples) : IPart
    {
        public string Name => examples.Name;

        public int Count => examples.Count;

        public IPlaced To(Device device) => new Placed(examples.To(device));
    }

    sealed class Placed(IPlacedExamples<TBatch> examples) : IPlaced
    {
        public Device Device => examples.Device;

        public IEnumerable<object> Batches(EpochOrder order) => examples.Batches(order).Select(batch => (object)batch!);

        public void Dispose() => examples.Dispose();
    }
}
