using System.Diagnostics;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>
/// What a training step of each of several networks takes. They take turns, and of each the fastest step counts, so that what else
/// the machine does meanwhile weighs little, and alike on all.
/// </summary>
static class StepTime
{
    public const string Milliseconds = "step_ms";

    const int WarmUp = 5;

    /// <summary>Forward, loss, backward and update of one batch on each network, by turns.</summary>
    public static double[] Measure(IReadOnlyList<ResNet> networks, ExperimentScale scale, ExperimentData data)
    {
        using var batch = data.Train.Batches(Math.Min(scale.Training.BatchSize, data.Train.Count), device: scale.Device).First();
        var optimizers = networks.Select(network => scale.Training.CreateOptimizer(network.ParameterGroups())).ToArray();
        var fastest = new double[networks.Count];
        Array.Fill(fastest, double.PositiveInfinity);
        for (var turn = -WarmUp; turn < Turns(scale); turn++)
            for (var i = 0; i < fastest.Length; i++)
            {
                var watch = Stopwatch.StartNew();
                Step(networks[i], optimizers[i], batch);
                if (turn >= 0) fastest[i] = Math.Min(fastest[i], watch.Elapsed.TotalMilliseconds);
            }

        return fastest;
    }

    /// <summary>How it was measured, for the page.</summary>
    public static string Describe(ExperimentScale scale) =>
        $"The time is that of one training step of {scale.Training.BatchSize} images (forward, backward, update): the fastest of {Turns(scale)}, for which the networks took turns.";

    static int Turns(ExperimentScale scale) => scale.Size == ExperimentSize.Smoke ? 2 : 20;

    static void Step(ResNet network, Optimizer optimizer, Data.Batch<Tensor, IntTensor> batch)
    {
        using var scope = new TensorScope();
        var loss = Losses.CrossEntropy(network.Forward(batch.Input), batch.Target);
        loss.Backward();
        optimizer.Step();
        loss.Item();
    }
}
