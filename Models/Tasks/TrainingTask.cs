using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>What a <see cref="Trainer"/> trains: a network, examples to learn from and to judge by, a loss, and metrics. <see cref="TrainingTask{TBatch}"/> is the base of one of your own.</summary>
public abstract class TrainingTask
{
    private protected TrainingTask(ModuleBase network, IReadOnlyList<Metric> metrics)
    {
        Check.That(metrics.Select(metric => metric.Name).Append(LossName).Distinct().Count() == metrics.Count + 1, GetType().Name,
            $"the names of its metrics are {string.Join(", ", metrics.Select(metric => metric.Name))}, expected different ones, and none \"{LossName}\".");
        (Network, Metrics) = (network, metrics);
    }

    internal const string LossName = "loss";

    /// <summary>The network, trained in place, on its device.</summary>
    public ModuleBase Network { get; }

    /// <summary>What is told of each epoch beside the loss. By the first of them an epoch is the best, where nothing else is asked for.</summary>
    public IReadOnlyList<Metric> Metrics { get; }

    /// <summary>What the images of the network are, for checkpoints; null where it reads none.</summary>
    internal virtual ImageDescription? Images => null;

    internal abstract IPart Train { get; }

    internal abstract IPart Test { get; }

    internal abstract Judgement JudgeAny(object batch);

    /// <summary>Examples of any kind of batch.</summary>
    internal interface IPart
    {
        string Name { get; }

        int Count { get; }

        IPlaced To(Device device);
    }

    /// <summary>The same on a device.</summary>
    internal interface IPlaced : IDisposable
    {
        Device Device { get; }

        IEnumerable<object> Batches(EpochOrder order);
    }
}

/// <summary>What a task finds out about a batch.</summary>
/// <param name="Loss">[], to be made small: the mean over the batch.</param>
/// <param name="Measures">The task's metrics of the batch, in their order.</param>
public readonly record struct Judgement(Tensor Loss, params IReadOnlyList<Measure> Measures);

/// <summary>
/// A task of your own: it says what the loss of a batch is. The batch is of any kind, and so is the network.
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
/// <typeparam name="TBatch">A batch: <see cref="Batch{TInput, TTarget}"/>, or a record of tensors that implements <see cref="ITensorTuple"/>.</typeparam>
public abstract class TrainingTask<TBatch> : TrainingTask
{
    /// <summary>A task.</summary>
    /// <param name="network">Trained in place, on its device.</param>
    /// <param name="train">To learn from.</param>
    /// <param name="test">To judge by after each epoch.</param>
    /// <param name="metrics">What is told of each epoch beside the loss; by the first of them an epoch is the best.</param>
    /// <exception cref="ArgumentException">Two metrics have one name, or there are no examples.</exception>
    protected TrainingTask(ModuleBase network, IExamples<TBatch> train, IExamples<TBatch> test, params IReadOnlyList<Metric> metrics) : base(network, metrics)
    {
        Check.That(train.Count > 0, GetType().Name, $"{train.Name} has no examples to learn from.");
        Check.That(test.Count > 0, GetType().Name, $"{test.Name} has no examples to judge by.");
        (TrainExamples, TestExamples) = (train, test);
    }

    /// <summary>To learn from.</summary>
    public IExamples<TBatch> TrainExamples { get; }

    /// <summary>To judge by after each epoch.</summary>
    public IExamples<TBatch> TestExamples { get; }

    /// <summary>
    /// Calls the network with a batch. In training, <c>Network.Training</c>, the loss is differentiated; else gradients are not recorded. Tensors made here are
    /// dropped. It must not read values: a GPU would wait in each step.
    /// </summary>
    /// <param name="batch">On the network's device; it stays the caller's.</param>
    protected abstract Judgement Judge(TBatch batch);

    /// <summary>Loss and metrics over examples, in inference: the network stays as it is, and threads may judge it at once.</summary>
    /// <param name="examples">What to judge by; those of the task where null.</param>
    /// <param name="batchSize">Examples at once; changes speed and memory.</param>
    /// <param name="judged">Told after each batch how many examples are done.</param>
    /// <param name="cancellation">Stops between two batches.</param>
    /// <exception cref="ArgumentException">There are no examples.</exception>
    public TaskEvaluation Evaluate(IExamples<TBatch>? examples = null, int batchSize = 256, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        examples ??= TestExamples;
        Check.That(examples.Count > 0, GetType().Name, $"{examples.Name} has no examples to judge by.");
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
