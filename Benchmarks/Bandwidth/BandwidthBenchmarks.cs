using System.Diagnostics;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Benchmarks.Bandwidth;

/// <summary>
/// The kernels that only move memory, in GB/s and as a share of the rate of a copy of the same size. Kernel and copy take short
/// turns, and the best of each counts. This gives the speed of the machine when nothing else uses it.
/// </summary>
static class BandwidthBenchmarks
{
    const int Turns = 40;

    public static int Run(string[] args)
    {
        var options = new Arguments(args, "threads", "filter");
        ThreadTeam.Threads = options.Number("threads", Environment.ProcessorCount);
        Console.WriteLine(Machine.Describe());
        Console.WriteLine($"{"",-52} {"ms",9} {"GB/s",7} {"of copy",9}");
        foreach (var kernel in BandwidthCases.All())
            if (kernel.Name.Contains(options.Text("filter"), StringComparison.OrdinalIgnoreCase)) Measure(kernel);
        return 0;
    }

    static void Measure(BandwidthCase kernel)
    {
        // The copy has the same size per tensor as the kernel. A copy as large as all tensors of the kernel together would not fit into a cache that holds one of them.
        using Tensor from = Tensor.Ones([kernel.StreamLength]), to = Tensor.Empty([kernel.StreamLength]);
        void Copy() => Device.Cpu.Backend.Copy(from, to);
        for (var warmUp = 0; warmUp < 40; warmUp++)
        {
            kernel.Call();
            Copy();
        }

        double copy = double.MaxValue, time = double.MaxValue;
        for (var turn = 0; turn < Turns; turn++)
        {
            copy = Math.Min(copy, Seconds(Copy));
            time = Math.Min(time, Seconds(kernel.Call));
        }

        double rate = kernel.Bytes / time, copyRate = 8.0 * kernel.StreamLength / copy;
        Console.WriteLine($"{kernel.Name,-52} {time * 1e3,9:F3} {rate * 1e-9,7:F1} {rate / copyRate,9:P0}");
    }

    static double Seconds(Action action)
    {
        var start = Stopwatch.GetTimestamp();
        action();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}

/// <summary>A kernel with the number of elements of one of its tensors, and the bytes that it must read and write.</summary>
sealed record BandwidthCase(string Name, int StreamLength, double Bytes, Action Call);
