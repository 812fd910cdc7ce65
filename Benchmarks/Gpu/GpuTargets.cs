namespace QuadEngine.Benchmarks.Gpu;

/// <summary>The table at the end: each target, the measured value, and whether the target was hit.</summary>
sealed class GpuTargets
{
    readonly List<(string Work, string Target, string Got, string Verdict)> rows = [];

    /// <summary>Adds a figure that must not be larger than the target; null if it was not measured.</summary>
    public void AtMost(string work, double? got, double target, string format = "F2") => Add(work, $"<= {target.ToString(format, null)}", got, format, got <= target);

    /// <summary>Adds a figure that must not be smaller than the target.</summary>
    public void AtLeast(string work, double? got, double target, string format = "F2") => Add(work, $">= {target.ToString(format, null)}", got, format, got >= target);

    /// <summary>Adds a figure without a target.</summary>
    public void State(string work, double? got, string unit) => rows.Add((work, "stated", got is { } value ? $"{value:G4} {unit}" : "not measured", ""));

    public override string ToString()
    {
        if (rows.Count == 0) return "";
        (string Work, string Target, string Got, string Verdict)[] all = [("work", "target", "measured", ""), .. rows];
        var (work, target, got) = (all.Max(row => row.Work.Length), all.Max(row => row.Target.Length), all.Max(row => row.Got.Length));
        return string.Concat(all.Select(row => $"| {row.Work.PadRight(work)} | {row.Target.PadRight(target)} | {row.Got.PadRight(got)} | {row.Verdict,-6} |\n"));
    }

    void Add(string work, string target, double? got, string format, bool hit) =>
        rows.Add((work, target, got?.ToString(format, null) ?? "not measured", got is null ? "open" : hit ? "hit" : "missed"));
}
