using System.Globalization;
using System.Text;
using QuadEngine.Benchmarks.Gpu.Parts;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Summarizes the figures: one line per item during the run, and at the end a summary of everything measured so far, with faults first and one table of targets.</summary>
sealed class GpuSummary(GpuBench bench, Figures figures)
{
    /// <summary>The largest number of characters of the summary, because remote machines often cut longer output.</summary>
    public const int Longest = 10_000;

    /// <summary>The float32 peak of an H200 in FLOP/s, from its data sheet. The limits of the device itself are measured.</summary>
    const double PeakOfH200 = 67e12;

    /// <summary>Whether nothing failed and every check is within its limits.</summary>
    public bool IsRight => !figures.Failures.Any() && !Wrong.Any();

    // The checks beyond their limits: the largest error of a method, or the loss of an epoch.
    IEnumerable<(string Part, string Item, double Share)> Wrong =>
        figures.All.Where(figure => figure.Name == CheckPart.Share).Select(figure => (figure.Part, figure.Item, Share: figure.Value!.Value))
            .Concat(Losses().Where(loss => loss.Distance is not null).Select(loss => (TrainPart.Part, $"{loss.Run}, {loss.Name}", Share: loss.Distance!.Value / TrainPart.Limit(loss.Run))))
            .Where(item => !(item.Share <= 1));

    // The relative distance of each loss of a run on the device from the CPU's loss; null if there is no such loss.
    IEnumerable<(string Run, string Name, double? Distance)> Losses() =>
        from run in figures.Of(TrainPart.Part)
        where run.Key != TrainPart.Cpu
        from loss in run
        where loss.Name.StartsWith("loss", StringComparison.Ordinal)
        let cpu = figures[TrainPart.Part, TrainPart.Cpu, loss.Name]
        select (run.Key, loss.Name, Math.Abs(loss.Value!.Value - cpu.GetValueOrDefault()) / cpu);

    /// <summary>The result of an item, in one line.</summary>
    public string Line(WorkItem item)
    {
        var found = figures.All.Where(figure => figure.Part == item.Part && figure.Item == item.Name).ToArray();
        return $"{item.Part,-8} {item.Name,-58} {(item.Part == KernelsPart.Part && found.Length > 1 ? Kernel(item.Name) : string.Join(", ", found.Select(Words)))}";
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var device in figures.Of("device")) text.AppendLine(string.Join(", ", device.Select(figure => figure.Text)));
        foreach (var limit in figures.Of(LimitsPart.Part)) text.AppendLine(CultureInfo.InvariantCulture, $"{limit.Key}: {string.Join(", ", limit.Select(Words))}");
        foreach (var peer in figures.Of(PeersPart.Part)) text.AppendLine(CultureInfo.InvariantCulture, $"{peer.Key}: {string.Join("; ", peer.Select(Words))}");
        Section($"FAILED: {figures.Failures.Count()}", figures.Failures.Select(failure => $"{failure.Part}, {failure.Item}: {Cut(failure.Text!, 400)}"));
        Section($"WRONG: {Wrong.Count()}", Wrong.Select(wrong => $"{wrong.Part}, {wrong.Item}: {wrong.Share:G3} times its limit"));
        var late = figures.All.Where(figure => figure.Name == "not reached").GroupBy(figure => figure.Part).ToArray();
        Section("Not reached", late.Select(part => $"{part.Key}: {part.Count()}"));
        Section("Seconds by part", figures.Of(Figure.Time).Select(part => $"{part.Key,-8} {part.Single().Value,6:F0}"));
        text.AppendLine().Append(Targets());
        Section("Kernels: us, rate, share of the limit", figures.Of(KernelsPart.Part).Where(kernel => kernel.Count() > 1).Select(kernel => $"{kernel.Key,-58} {Kernel(kernel.Key)}"));
        Section("Steps, seconds", figures.Of(StepPart.Part).Select(step => $"{step.Key,-28} {string.Join(", ", step.Select(Words))}"));
        Section($"Training: {TrainPart.Cpu}, then the device", figures.Of(TrainPart.Part).Select(run => $"{run.Key,-10} {string.Join(", ", run.Select(Words))}"));
        return Cut(text.ToString(), Longest, "... (results.jsonl has the rest)\n");

        void Section(string title, IEnumerable<string> lines)
        {
            var all = lines.ToArray();
            if (all.Length > 0) text.AppendLine().AppendLine(title).AppendJoin(Environment.NewLine, all).AppendLine();
        }
    }

    GpuTargets Targets()
    {
        var targets = new GpuTargets();
        foreach (var precision in Enum.GetValues<Precision>())
            if (figures.All.Where(figure => figure.Name == CheckPart.Share && figure.Item.Contains($", {precision}", StringComparison.Ordinal)).ToArray() is { Length: > 0 } shares)
                targets.AtMost($"largest error against the CPU, {precision}, of {CheckPart.Limit(precision):G1}", shares.Max(share => share.Value), 1);

        if (bench.Has(KernelsPart.Part)) KernelTargets();
        if (bench.Has(StepPart.Part)) StepTargets();
        foreach (var epoch in figures.Of(EpochsPart.Part)) targets.State($"CIFAR-10 epoch, batch {bench.Batch}, {epoch.Key}", epoch.FirstOrDefault(figure => figure.Name == EpochsPart.Seconds)?.Value, "s");
        foreach (var (run, name, distance) in Losses()) targets.AtMost($"training, {run}: {name}, distance to the CPU's", distance, TrainPart.Limit(run), "F4");
        return targets;

        void KernelTargets()
        {
            var (product, reduced, half) = (Rate(KernelsPart.MatrixProduct(bench, Precision.Float32)), Seconds(Precision.Tf32), Rate(KernelsPart.MatrixProduct(bench, Precision.Bf16)));
            targets.AtLeast($"float32 matrix product {bench.Size}^3, share of 67 TFLOP/s", product / PeakOfH200, 0.6);
            targets.AtLeast($"tf32 matrix product {bench.Size}^3 / cuBLAS tf32, rates", figures[PeersPart.Part, PeersPart.CuBlas, "matmul tf32"] / reduced, 0.5);
            targets.AtLeast($"tf32 matrix product {bench.Size}^3 / PyTorch tf32, rates", Torch("matmul tf32") / reduced, 0.5);
            targets.State($"bf16 matrix product {bench.Size}^3", half / 1e12, "TFLOP/s");
            targets.State($"bf16 matrix product {bench.Size}^3 / PyTorch bf16, rates", Torch("matmul bf16") / Seconds(Precision.Bf16), "");
            var copy = figures[LimitsPart.Part, LimitsPart.Copy, LimitsPart.PerSecond];
            foreach (var pass in KernelsPart.Passes) targets.AtLeast($"{pass}, share of a copy", figures[KernelsPart.Part, pass, KernelsPart.Bytes] / figures[KernelsPart.Part, pass, KernelsPart.Seconds] / copy, 0.8);
        }

        void StepTargets()
        {
            foreach (var precision in Enum.GetValues<Precision>())
            {
                var name = precision.ToString().ToLowerInvariant();
                var (linear, quadratic) = (Step(precision, 0), Step(precision, 3));
                if (precision != Precision.Bf16)
                {
                    targets.AtMost($"step, linear, {name} / PyTorch eager", linear / Torch($"linear eager {name}"), 0.5);
                    targets.AtMost($"step, quadratic k = 3, {name} / PyTorch eager", quadratic / Torch($"quadratic eager {name}"), 0.35);
                    targets.AtMost($"step, linear, {name} / PyTorch as a CUDA graph", linear / Torch($"linear graph {name}"), 1.2);
                }

                targets.AtMost($"step, quadratic / linear, {name}", quadratic / linear, 1.05);
            }
        }

        double? Seconds(Precision precision) => figures[KernelsPart.Part, KernelsPart.MatrixProduct(bench, precision), KernelsPart.Seconds];
        double? Rate(string kernel) => figures[KernelsPart.Part, kernel, KernelsPart.Flops] / figures[KernelsPart.Part, kernel, KernelsPart.Seconds];
        double? Step(Precision precision, int rank) => figures[StepPart.Part, StepPart.Name(precision, rank), StepPart.Recorded];
        double? Torch(string work) => figures[PeersPart.Part, PeersPart.PyTorch, work];
    }

    string Kernel(string name)
    {
        if (figures[KernelsPart.Part, name, KernelsPart.Seconds] is not { } seconds) return "";
        var (flops, bytes) = (figures[KernelsPart.Part, name, KernelsPart.Flops], figures[KernelsPart.Part, name, KernelsPart.Bytes]);
        var share = flops / seconds / figures[LimitsPart.Part, LimitsPart.Flops, LimitsPart.PerSecond] ?? bytes / seconds / figures[LimitsPart.Part, LimitsPart.Copy, LimitsPart.PerSecond];
        return $"{seconds * 1e6,10:F1} {(flops is { } count ? $"{count / seconds / 1e9:N0} GFLOP/s" : $"{bytes / seconds / 1e9:N0} GB/s"),14}{(share is { } part ? $" {part,5:P0}" : "")}";
    }

    static string Words(Figure figure) => figure.Text is { } text ? $"{(figure.Name == Figure.Failed ? "FAILED: " : "")}{Cut(text, 200)}" : $"{figure.Name} {figure.Value:G4}{(figure.Name == CheckPart.Share && !(figure.Value <= 1) ? " WRONG" : "")}";

    static string Cut(string text, int length, string mark = "...") => text.Length <= length ? text : text[..(length - mark.Length)] + mark;
}
