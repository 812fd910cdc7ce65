using System.Diagnostics;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Experiments;

/// <summary>
/// Measures the time of a training step of several networks. The networks take turns and the fastest step of each counts, so that
/// other work of the machine has little effect, and the same effect on all networks.
/// </summary>
static class StepTime
{
    public const string Milliseconds = "step_ms";

    const int WarmUp = 5;

    /// <summary>Returns the milliseconds of one step of each network: forward, loss, backward and update of one batch.</summary>
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

    /// <summary>Says for the page how the time was measured.</summary>
    public static string Describe(ExperimentScale scale) =>
        $"The time is that of one training step of {scale.Training.BatchSize} images (forward, backward, update), the fastest of {Turns(scale)}. The networks took turns.";

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
