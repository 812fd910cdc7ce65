using QuadEngine.Gpu;
using QuadEngine.Models;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>A run of `quad train` on the images that need no download, with seed 1. It compares the losses of each epoch with those of this machine's CPU.</summary>
static class TrainPart
{
    public const string Part = "train", Cpu = "the CPU", Accuracy = "accuracy";

    public static string Loss(int epoch) => $"loss of epoch {epoch}";

    /// <summary>The largest allowed relative distance of a loss from the CPU's. Rounding errors add up over the steps of an epoch.</summary>
    public static double Limit(string item) => item == nameof(Precision.Float32) ? 0.02 : 0.05;

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
    [
        new(Part, Cpu, () => Train(bench, Device.Cpu.Name), MostSeconds: 300),
        .. ((Precision[])[Precision.Float32, Precision.Tf32]).Select(precision => new WorkItem(Part, $"{precision}", () => Train(bench, bench.At(precision).Name))),
    ];

    static IEnumerable<(string, double?, string?)> Train(GpuBench bench, string device)
    {
        var main = RunConfiguration.Main;
        var run = TrainingRun.Start(main with
        {
            Device = device,
            Network = bench.IsCard ? main.Network : main.Network with { Model = "resnet8" },
            TrainImages = bench.IsCard ? null : 64,
            Training = main.Training with { Epochs = bench.IsCard ? 3 : 1, BatchSize = bench.IsCard ? 128 : 16, Seed = 1 },
        });
        run.Trainer.Run();
        foreach (var epoch in run.Trainer.State.History) yield return (Loss(epoch.Epoch), epoch.TrainLoss, null);
        yield return (Accuracy, run.Trainer.State.History[^1].TestAccuracy, null);
    }
}
