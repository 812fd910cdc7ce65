using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>How well a task is done, in inference.</summary>
/// <param name="Loss">Mean over the examples.</param>
/// <param name="Metrics">The task's metrics by name.</param>
/// <param name="Examples">Examples judged.</param>
/// <param name="Elapsed">Time it took.</param>
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

        // A GPU is already at the next batch when the values of one are read.
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
