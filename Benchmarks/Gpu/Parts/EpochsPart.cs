using QuadEngine.Data;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>CIFAR-10 epochs as the trainer runs them, without the evaluation after each: with the data on the card, and streamed from the host.</summary>
static class EpochsPart
{
    public const string Part = "epochs", Seconds = "seconds", Source = "images";

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
        from precision in Enum.GetValues<Precision>()
        from rank in (int[])[0, 3]
        from onCard in (bool[])[true, false]
        where onCard || rank == 0
        select new WorkItem(Part, $"{StepPart.Name(precision, rank)}, {(onCard ? "data on the card" : "streamed from the host")}", () =>
        {
            var (images, source) = Cifar10(bench.DataFolder, bench.IsCard ? 50_000 : 3 * bench.Batch);
            return [(Seconds, new GpuSteps(bench.At(precision), rank, bench.Batch).Epoch(images, onCard), null), (Source, images.Count, source)];
        });

    /// <summary>The training images if the folder has them, otherwise random bytes of the same shape, which cost the same.</summary>
    static (ImageDataset Images, string Source) Cifar10(string folder, int count)
    {
        var info = Datasets.Get("cifar10");
        if (folder.Length == 0) folder = Datasets.DefaultFolder;
        if (info.FolderIn(folder) is not null) return (info.Load(folder, info.Name).Train.Take(count), $"those of {folder}");

        var bytes = new byte[count * info.ImageShape.Elements];
        new Random(1).NextBytes(bytes);
        var labels = Enumerable.Range(0, count).Select(i => i % info.Classes).ToArray();
        return (new("random", bytes, labels, info.ClassNames, info.ImageShape[0], info.ImageShape[1], info.ImageShape[2], info.Normalization), "random bytes (--data-dir names a folder with CIFAR-10)");
    }
}
