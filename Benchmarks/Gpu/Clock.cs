using System.Diagnostics;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Times work on a device: launches return at once, so a measurement ends with a wait.</summary>
static class Clock
{
    /// <summary>Median seconds of a call, over some 0.2 s of blocks that each end with a wait.</summary>
    public static double Seconds(GpuDevice device, Action call) => Seconds(device.Synchronize, call);

    /// <summary>The same where another way to wait is needed.</summary>
    public static double Seconds(Action wait, Action call)
    {
        call();
        wait();
        var calls = (int)Math.Clamp(0.02 / Math.Max(1e-7, Block(1)), 1, 1000);
        var times = new List<double>();
        for (var begin = Stopwatch.GetTimestamp(); times.Count < 3 || times.Count < 20 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 0.2;) times.Add(Block(calls));
        return Statistics.Median(times);

        double Block(int count)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < count; i++) call();
            wait();
            return Stopwatch.GetElapsedTime(start).TotalSeconds / count;
        }
    }
}
