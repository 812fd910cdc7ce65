using System.Diagnostics;
using QuadEngine.Benchmarks.Profile;

namespace QuadEngine.Benchmarks.Operations;

/// <summary>One measured operation.</summary>
/// <param name="Name">The case.</param>
/// <param name="Time">Median time of a call.</param>
/// <param name="GigaflopsPerSecond">Operations, a multiply-add counted as two.</param>
/// <param name="GigabytesPerSecond">Bytes that the call has to read and write.</param>
/// <param name="ShareOfFloor">The shortest time for either on this machine over the time taken.</param>
public sealed record OperationResult(string Name, TimeSpan Time, double GigaflopsPerSecond, double GigabytesPerSecond, double ShareOfFloor);

/// <summary>All operation cases within a minute: median time, rates, and the share of the machine's limit that each reaches.</summary>
public static class OperationTable
{
    internal static int Run(string[] args)
    {
        var options = new Arguments(args, "threads", "filter");
        Device.CpuThreads = options.Number("threads", Environment.ProcessorCount);
        Console.WriteLine(Machine.Describe());
        Console.WriteLine($"\n{"operation",-64} {"us",9} {"GFLOP/s",8} {"GB/s",7} {"of floor",9}");
        foreach (var result in Measure(OperationCase.All.Where(operation => operation.Name.Contains(options.Text("filter"), StringComparison.OrdinalIgnoreCase))))
            Console.WriteLine($"{result.Name,-64} {result.Time.TotalMicroseconds,9:F1} {result.GigaflopsPerSecond,8:F1} {result.GigabytesPerSecond,7:F1} {result.ShareOfFloor,9:P0}");
        return 0;
    }

    /// <summary>Measures the machine's limits, then the cases one after the other.</summary>
    public static IEnumerable<OperationResult> Measure(IEnumerable<OperationCase> cases)
    {
        var machine = Machine.Measure();
        foreach (var operation in cases)
        {
            var device = new ProfiledDevice();
            var call = operation.Prepare(device);
            device.Log.Clear();
            call();
            var cost = device.Log.Costs.Values.Single();
            var median = TimeSpan.FromSeconds(Statistics.Median(Times(call)));
            yield return new(operation.Name, median, cost.Flops / median.TotalSeconds / 1e9, cost.Bytes / median.TotalSeconds / 1e9, machine.Floor(cost.Flops, cost.Bytes) / median);
            device.Pool.Trim();
        }
    }

    // Calls for 0.3 s and 10 times at least, after as long a warm-up.
    static List<double> Times(Action call)
    {
        var times = new List<double>();
        for (var phase = 0; phase < 2; phase++)
        {
            times.Clear();
            for (var begin = Stopwatch.GetTimestamp(); times.Count < 10 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.3;)
            {
                var clock = Stopwatch.GetTimestamp();
                call();
                times.Add(Stopwatch.GetElapsedTime(clock).TotalSeconds);
            }
        }

        return times;
    }
}
