using System.Diagnostics;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>
/// The process of one contender. It warms up, reports the time from its start to the end of its first step, and then runs steps
/// at its parent's request. It answers a line "run COUNT" with the
/// mean milliseconds of a step, and "peak" with the highest memory of the process in bytes. The end of its input ends the process.
/// </summary>
/// <remarks>
/// Contenders are processes, because the threads of one library must not disturb another (OpenMP's threads spin for a while after their work), and
/// because the memory of a library is measured as that of its process.
/// </remarks>
static class Worker
{
    public static int Run(string[] args)
    {
        var contender = Contender.Parse(args);
        var (step, version) = Prepare(contender);
        step();
        var start = DateTime.Now - Process.GetCurrentProcess().StartTime;
        WarmUp(step);
        Console.WriteLine($"ready {start.TotalSeconds} {version}");
        while (Console.ReadLine()?.Split(' ') is [var command, ..] words)
            Console.WriteLine(command == "run" ? Time(step, int.Parse(words[1])) : Process.GetCurrentProcess().PeakWorkingSet64);
        return 0;
    }

    static (Action Step, string Version) Prepare(Contender contender) => contender.Library switch
    {
        Library.Ours => Ours.Prepare(contender),
        Library.Onnx => OnnxPeer.Prepare(contender),
        _ => TorchPeer.Prepare(contender),
    };

    // Long enough for the just-in-time compiler to reach its last tier, and for all buffers to be allocated.
    static void WarmUp(Action step)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var count = 0; count < 30 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 10 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 2; count++) step();
    }

    // The first step is not counted: after the turns of others the caches are full of their data, which never happens in a loop of steps.
    static double Time(Action step, int count)
    {
        step();
        var clock = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++) step();
        return Stopwatch.GetElapsedTime(clock).TotalMilliseconds / count;
    }
}
