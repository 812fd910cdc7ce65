using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The loss and metrics of a task over examples, in inference mode.</summary>
/// <param name="Loss">The mean loss over the examples.</param>
/// <param name="Metrics">The values of the task's metrics by name.</param>
/// <param name="Examples">The number of examples.</param>
/// <param name="Elapsed">The duration of the evaluation.</param>
public sealed record TaskEvaluation(double Loss, MetricValues Metrics, int Examples, TimeSpan Elapsed)
{
    internal static TaskEvaluation Run(TrainingTask task, TrainingTask.IPlaced examples, int batchSize, Action<int>? judged = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        var totals = new EpochTotals();
        using var evaluation = new EvaluationMode();
        using var noGrad = new NoGrad();
        Action? underWay = null;
        foreach (var batch in examples.Batches(new EpochOrder(batchSize)))
        {
            cancellation.ThrowIfCancellationRequested();
            var next = Begin(batch);
            underWay?.Invoke();
            underWay = next;
        }

        underWay?.Invoke();
        return new(totals.Loss, totals.ValuesOf(task.Metrics), totals.Examples, watch.Elapsed);

        // While the host reads the values of a batch, a GPU already computes the next batch.
        Action Begin(object batch)
        {
            using var owned = new OwnedBatch(batch);
            using var scope = new TensorScope();
            var judgement = task.JudgeAny(batch);
            var loss = judgement.Loss.BeginToArray();
            var measures = judgement.Measures.Select(measure =>
            {
                using (measure) return measure.Begin();
            }).ToArray();
            var count = owned.Count;
            return () =>
            {
                totals = totals.With(count, loss()[0], [.. measures.Select(read => read())]);
                judged?.Invoke(totals.Examples);
            };
        }
    }
}
