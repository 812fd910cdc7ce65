using System.Diagnostics;
using QuadEngine.Benchmarks.Profile;

namespace QuadEngine.Benchmarks.Operations;

/// <summary>One measured operation.</summary>
/// <param name="Case">The case.</param>
/// <param name="Time">Median time of a call.</param>
/// <param name="GigaflopsPerSecond">Operations per second; a multiply-add counts as two.</param>
/// <param name="GigabytesPerSecond">Bytes per second that the call must read and write.</param>
/// <param name="ShareOfFloor">The floor on this machine (for operations or bytes, whichever is longer) divided by the time taken.</param>
public sealed record OperationResult(OperationCase Case, TimeSpan Time, double GigaflopsPerSecond, double GigabytesPerSecond, double ShareOfFloor);

/// <summary>Measures all operation cases in a minute: median time, rates, and the share of the machine's limit that each reaches.</summary>
public static class OperationTable
{
    internal static int Run(string[] args)
    {
        var options = new Arguments(args, "threads", "filter");
        Device.CpuThreads = options.Number("threads", Environment.ProcessorCount);
        var machine = Machine.Measure();
        Console.WriteLine($"{Machine.Describe()}\n{machine}");
        Console.WriteLine($"\n{"operation",-64} {"us",9} {"GFLOP/s",8} {"GB/s",7} {"of floor",9}");
        foreach (var result in Measure(machine, OperationCase.Matching(options.Text("filter"))))
            Console.WriteLine($"{result.Case.Name,-64} {result.Time.TotalMicroseconds,9:F1} {result.GigaflopsPerSecond,8:F1} {result.GigabytesPerSecond,7:F1} {result.ShareOfFloor,9:P0}");
        return 0;
    }

    /// <summary>
    /// Measures the cases one after the other. Cases that only move memory start with cold caches, as in a step, where nothing that they read
    /// was used just before. Cases that compute start with warm caches.
    /// </summary>
    public static IEnumerable<OperationResult> Measure(Machine machine, IEnumerable<OperationCase> cases)
    {
        using var caches = Tensor.Zeros([16 << 20]);
        var device = new ProfiledDevice();
        foreach (var operation in cases)
        {
            var call = operation.Prepare(device);
            device.Log.Clear();
            call();
            var cost = device.Log.Costs.Values.Single();
            var median = TimeSpan.FromSeconds(Statistics.Median(Times(call, before: cost.Flops > 0 ? () => { } : () => Device.Cpu.Backend.Fill(caches, 0f))));
            yield return new(operation, median, cost.Flops / median.TotalSeconds / 1e9, cost.Bytes / median.TotalSeconds / 1e9, machine.Floor(cost.Flops, cost.Bytes) / median);
        }
    }

    // Calls for 0.3 s and at least 10 times, after a warm-up of the same length.
    static List<double> Times(Action call, Action before)
    {
        var times = new List<double>();
        for (var phase = 0; phase < 2; phase++)
        {
            times.Clear();
            for (var begin = Stopwatch.GetTimestamp(); times.Count < 10 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.3;)
            {
                before();
                var clock = Stopwatch.GetTimestamp();
                call();
                times.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
            }
        }

        return times;
    }
}
