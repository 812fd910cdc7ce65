using System.Diagnostics;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>
/// The process of one contender. It warms up, says how long it took from its start to the end of its first step, and then runs steps
/// when its parent says so: a line "run COUNT" is answered by the
/// mean milliseconds of a step, "peak" by the highest memory the process has held, in bytes; the end of its input ends it.
/// </summary>
/// <remarks>
/// Processes, because the threads of one library must not disturb another (those of OpenMP spin for a while after their work), and
/// because the memory of a library is that of its process.
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

    // Long enough for the just-in-time compiler to reach its last tier and for all buffers to be there.
    static void WarmUp(Action step)
    {
        var begin = Stopwatch.GetTimestamp();
        for (var count = 0; count < 30 && Stopwatch.GetElapsedTime(begin).TotalSeconds < 10 || Stopwatch.GetElapsedTime(begin).TotalSeconds < 2; count++) step();
    }

    // The first step after the turns of others finds the caches full of their data, as no step of a loop does; it is not counted.
    static double Time(Action step, int count)
    {
        step();
        var clock = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++) step();
        return Stopwatch.GetElapsedTime(clock).TotalMilliseconds / count;
    }
}
