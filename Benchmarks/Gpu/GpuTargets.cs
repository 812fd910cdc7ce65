namespace QuadEngine.Benchmarks.Gpu;

/// <summary>The table at the end: each target, what was measured, and whether it was hit.</summary>
sealed class GpuTargets
{
    readonly List<(string Work, string Target, string Got, string Verdict)> rows = [];

    /// <summary>A figure that must not be larger than the target; null where there is nothing to compare with.</summary>
    public void AtMost(string work, double? got, double target, string format = "F2") => Add(work, $"<= {target.ToString(format, null)}", got, format, got <= target);

    /// <summary>A figure that must not be smaller.</summary>
    public void AtLeast(string work, double? got, double target, string format = "F2") => Add(work, $">= {target.ToString(format, null)}", got, format, got >= target);

    /// <summary>A figure that is only stated.</summary>
    public void State(string work, string got) => rows.Add((work, "stated", got, ""));

    public void Print()
    {
        var width = rows.Max(row => row.Work.Length);
        Console.WriteLine($"\n| {"work".PadRight(width)} | {"target",-9} | {"measured",-12} | {"",-8} |\n|{new string('-', width + 2)}|{new string('-', 11)}|{new string('-', 14)}|{new string('-', 10)}|");
        foreach (var (work, target, got, verdict) in rows) Console.WriteLine($"| {work.PadRight(width)} | {target,-9} | {got,-12} | {verdict,-8} |");
    }

    void Add(string work, string target, double? got, string format, bool hit) =>
        rows.Add((work, target, got?.ToString(format, null) ?? "peer absent", got is null ? "open" : hit ? "hit" : "missed"));
}
