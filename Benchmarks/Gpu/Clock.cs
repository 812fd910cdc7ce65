using System.Diagnostics;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Times work on a device. Launches return at once, so a measurement ends with a wait.</summary>
static class Clock
{
    // A launch costs the host a few microseconds. For a shorter kernel, a measurement would give the host's time for a launch.
    const double LongBesideALaunch = 100e-6;
    const int RecordedCalls = 50;

    /// <summary>Median seconds of a call, over about 0.2 s of blocks that each end with a wait.</summary>
    public static double Seconds(GpuDevice device, Action call) => Seconds(device.Synchronize, call);

    /// <summary>Median seconds that the device takes for a call's kernels. Many short calls are recorded together and replayed without the host.</summary>
    public static double KernelSeconds(GpuDevice device, Action call)
    {
        var single = Seconds(device, call);
        if (single > LongBesideALaunch) return single;
        using var calls = new RecordedStep(device, () =>
        {
            for (var i = 0; i < RecordedCalls; i++) call();
        });

        // The first run goes through the host, the second is recorded.
        for (var i = 0; i < 2; i++) calls.Run();
        return calls.IsRecorded ? Seconds(device, calls.Run) / RecordedCalls : single;
    }

    /// <summary>The same as the first method, with another way to wait.</summary>
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
