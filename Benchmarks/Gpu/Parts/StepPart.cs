using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>A training step of ResNet-20: launched by the host kernel by kernel, and recorded.</summary>
static class StepPart
{
    public const string Part = "step", Launched = "seconds launched", Recorded = "seconds recorded", Launches = "launches", Graph = "graph", Refusal = "the driver refused the graph";

    public static string Name(Precision precision, int rank) => $"{precision}, {(rank == 0 ? "linear" : $"quadratic k = {rank}")}";

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
        from precision in Enum.GetValues<Precision>()
        from rank in (int[])[0, 3]
        select new WorkItem(Part, Name(precision, rank), () => Measure(bench.At(precision), rank, bench.Batch));

    static IEnumerable<(string, double?, string?)> Measure(GpuDevice device, int rank, int batch)
    {
        var steps = new GpuSteps(device, rank, batch);
        yield return (Launched, steps.ByLaunches(), null);
        yield return (Launches, steps.Launches, null);
        yield return (Recorded, steps.Recorded(out var refusal), null);
        if (device.Graph is { } graph) yield return (Graph, null, graph.ToString());
        if (refusal is not null) yield return (Refusal, null, refusal);
    }
}
