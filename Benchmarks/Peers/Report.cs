using System.Runtime.CompilerServices;
using System.Text;
using System.Text.RegularExpressions;
using QuadEngine.Benchmarks.Operations;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>The measurements as Markdown. They are written into docs/performance.md between two marks, so the text around the marks does not change.</summary>
sealed partial class Report(int rounds)
{
    const string Begin = "<!-- measured -->", End = "<!-- end of what was measured -->";

    readonly List<(Ratio Ratio, double[] Values)> ratios = [];
    readonly List<Performance> performances = [];
    readonly List<OperationResult> operations = [];
    string limits = "";
    readonly string load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    public int Rounds => rounds;

    /// <summary>Adds the measurements of some contenders, and the requested ratios of them.</summary>
    public void Add(IEnumerable<Ratio> wanted, Performance[] measured)
    {
        performances.AddRange(measured);
        foreach (var ratio in wanted)
        {
            var (of, to) = (Faster(ratio.Of), Faster(ratio.To));
            ratios.Add((ratio, ratio.Memory ? [(double)of.PeakBytes / to.PeakBytes] : [.. of.Milliseconds.Zip(to.Milliseconds, (a, b) => a / b)]));
        }

        Performance Faster(Contender[] contenders) => measured.Where(performance => contenders.Contains(performance.Contender)).MinBy(performance => performance.Median)!;
    }

    /// <summary>Measures operations in this process.</summary>
    public void AddOperations(Machine machine, IEnumerable<OperationCase> cases)
    {
        limits = $"{machine}";
        operations.AddRange(OperationTable.Measure(machine, cases));
    }

    /// <summary>Puts the tables into docs/performance.md of this checkout.</summary>
    public void Write([CallerFilePath] string source = "")
    {
        var path = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(source)!, "../../docs/performance.md"));
        var before = File.Exists(path) ? File.ReadAllText(path) : $"# Performance\n\n{Begin}\n{End}\n";
        var aside = $"{path}.{Environment.ProcessId}";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(aside, Measured().Replace(before, _ => $"{Begin}\n{this}{End}"));
        File.Move(aside, path, overwrite: true);
    }

    public override string ToString()
    {
        var text = new StringBuilder();
        text.Append($"""
            Measured {DateTime.UtcNow:yyyy-MM-dd} by `dotnet run -c Release --project Benchmarks/Peers`. Times are medians of {rounds} rounds in which the contenders take
            turns, each in its own warm process (lowest to highest in brackets). Ratios are taken round by round; lower is better. Of
            libtorch's two memory formats the faster one counts. The network is ResNet-20 on images of 32x32x3 unless the row says otherwise. Load of the machine at the start: {load}.

            {string.Join("\n", performances.Select(performance => performance.Version).Distinct().Order().Select(version => $"- {version}"))}

            | ratio | median | target | |
            | --- | ---: | ---: | --- |

            """);
        foreach (var (ratio, values) in ratios)
            text.Append($"| {ratio.Title} | {Spread(values, "F2")} | {Verdict(ratio.Target, "<= {0:F2}", Statistics.Median(values) <= ratio.Target)} |\n");

        text.Append("\n| work | library | ms per step | images/s | peak memory | first step after |\n| --- | --- | ---: | ---: | ---: | ---: |\n");
        foreach (var p in performances)
            text.Append($"| {p.Contender.Work} | {p.Contender.Name} | {Spread(p.Milliseconds, p.Median < 10 ? "F3" : "F1")} | {(p.Contender.Layer is "" ? $"{p.Contender.Batch / p.Median * 1e3:F0}" : "")} | {p.PeakBytes / 1e6:F0} MB | {p.SecondsToFirstStep:F1} s |\n");

        if (operations.Count == 0) return text.ToString();
        text.Append($"""

            This table has our operations at batch 128, on {Device.CpuThreads} threads. The floor is the time of the arithmetic at the FMA peak, or of the bytes at the memory bandwidth, whichever is longer. The same run
            measured both limits: {limits}. The arithmetic is that of the direct convolution.
            Winograd's algorithm needs four times fewer multiplications, so a 3x3 convolution may exceed 100 %. A pass that finds part of its operands in the cache may exceed it too.

            | operation | us | GFLOP/s | GB/s | of floor | target | |
            | --- | ---: | ---: | ---: | ---: | --- | --- |

            """);
        foreach (var o in operations)
            text.Append($"| {o.Case.Name} | {o.Time.TotalMicroseconds:F0} | {o.GigaflopsPerSecond:F0} | {o.GigabytesPerSecond:F1} | {o.ShareOfFloor:P0} | {Verdict(o.Case.Target, ">= {0:P0}", o.ShareOfFloor >= o.Case.Target)} |\n");
        return text.ToString();
    }

    static string Verdict(double? target, string format, bool hit) => target is null ? "|" : $"{string.Format(format, target)} | {(hit ? "hit" : "missed")}";

    static string Spread(double[] values, string format) => values.Length == 1 ? values[0].ToString(format)
        : $"{Statistics.Median(values).ToString(format)} ({values.Min().ToString(format)} to {values.Max().ToString(format)})";

    [GeneratedRegex($"{Begin}.*{End}", RegexOptions.Singleline)]
    private static partial Regex Measured();
}
