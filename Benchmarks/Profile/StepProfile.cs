using System.Diagnostics;

namespace QuadEngine.Benchmarks.Profile;

/// <summary>
/// Shows the time of each kernel in a step of a network: milliseconds, share of the step, and how near the kernel comes to its
/// floor. The floor is the time of its operations at the FMA peak, or of its bytes at the memory bandwidth measured in the same run, whichever is longer.
/// </summary>
static class StepProfile
{
    // Enough steps for the just-in-time compiler to reach its last tier.
    const int WarmUpSteps = 30;
    const double WarmUpSeconds = 3;

    public static int Run(string[] args)
    {
        var options = new Arguments(args, "network", "work", "rank", "batch", "threads", "steps");
        var train = options.Word("work", "train", "infer") == "train";
        Device.CpuThreads = options.Number("threads", Environment.ProcessorCount);
        var machine = Machine.Measure();
        Console.WriteLine($"{Machine.Describe()}\n{machine}");

        var device = new ProfiledDevice();
        var work = new NetworkWork(Enum.Parse<NetworkShape>(options.Word("network", Enum.GetNames<NetworkShape>())), options.Number("rank", 0), options.Number("batch", 128), device);
        var steps = new double[options.Number("steps", 20)];
        Func<float> step = train ? work.Train : work.Infer;
        var begin = Stopwatch.GetTimestamp();
        for (var i = 0; i < WarmUpSteps || Stopwatch.GetElapsedTime(begin).TotalSeconds < WarmUpSeconds; i++) step();

        device.Log.Clear();
        device.Pool.ResetPeak();
        for (var i = 0; i < steps.Length; i++)
        {
            var clock = Stopwatch.GetTimestamp();
            step();
            steps[i] = Stopwatch.GetElapsedTime(clock).TotalMilliseconds;
        }

        var all = device.Log.Costs.Select(entry => (entry.Key.Kernel, entry.Key.Shape, Cost: entry.Value)).ToArray();
        Print(steps, machine, all.GroupBy(row => row.Kernel).Select(group => (group.Key, "", group.Select(row => row.Cost).Aggregate((a, b) => a + b))));
        Print(steps, machine, all);
        var kernels = all.Sum(row => row.Cost.Time.TotalMilliseconds) / steps.Length;
        Console.WriteLine($"step: median {Statistics.Median(steps):F2} ms, mean {steps.Average():F2} ms = kernels {kernels:F2} + engine {steps.Average() - kernels:F2}");
        Console.WriteLine($"live tensors at their peak {device.Pool.Statistics.Peak / 1e6:F0} MB, held {device.Pool.Statistics.Reserved / 1e6:F0} MB");
        return 0;
    }

    static void Print(double[] steps, Machine machine, IEnumerable<(string Kernel, string Shape, KernelCost Cost)> rows)
    {
        Console.WriteLine($"\n{"kernel",-44} {"shape",-26} {"calls",5} {"ms",8} {"share",6} {"GFLOP",7} {"MB",7} {"floor ms",9} {"of floor",8}");
        foreach (var (kernel, shape, cost) in rows.OrderByDescending(row => row.Cost.Time))
        {
            var floor = machine.Floor(cost.Flops, cost.Bytes);
            Console.WriteLine($"{kernel,-44} {shape,-26} {cost.Calls / steps.Length,5} {cost.Time.TotalMilliseconds / steps.Length,8:F3} {cost.Time.TotalMilliseconds / steps.Sum(),6:P0} " +
                $"{cost.Flops / 1e9 / steps.Length,7:F2} {cost.Bytes / 1e6 / steps.Length,7:F1} {floor.TotalMilliseconds / steps.Length,9:F3} {floor / cost.Time,8:P0}");
        }
    }
}
