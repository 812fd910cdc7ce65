using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Lets a <see cref="Worker"/> run the items. If an item fails, hangs or ends its process, another worker continues after it.</summary>
/// <param name="bench">The run.</param>
/// <param name="args">The command line, for the worker.</param>
/// <param name="figures">Receives the figures.</param>
/// <param name="done">Is called for each item that has ended.</param>
sealed class Supervisor(GpuBench bench, string[] args, Figures figures, Action<WorkItem> done)
{
    // The number of last lines that are kept of a process that ends without a figure.
    const int KeptLines = 6;

    readonly long begin = Stopwatch.GetTimestamp();
    readonly Dictionary<string, double> secondsOfParts = [];
    double secondsBefore;

    double Passed => Stopwatch.GetElapsedTime(begin).TotalSeconds;

    double Left => bench.Seconds - Passed;

    /// <summary>Runs all items, until the time is over.</summary>
    public void Run()
    {
        RunItems();
        foreach (var (part, seconds) in secondsOfParts) figures.Add(new Figure(Figure.Time, part, "seconds", seconds));
    }

    void RunItems()
    {
        var next = 0;
        while (next < bench.Items.Count && Left > 0)
        {
            next = RunFrom(next);

            // If the first item fails, the device does not work, and no other item can run.
            if (next == 1 && figures.Failures.Any()) return;
        }

        foreach (var item in bench.Items.Skip(next)) figures.Add(new Figure(item.Part, item.Name, "not reached", Text: $"the {bench.Seconds} s were over"));
    }

    // Returns the number of the item at which to continue.
    int RunFrom(int first)
    {
        using var lines = new BlockingCollection<string?>();
        var words = new ConcurrentQueue<string>();
        using var process = Start(first);
        process.OutputDataReceived += (_, line) => lines.Add(line.Data);
        process.ErrorDataReceived += (source, line) =>
        {
            if (line.Data is not { Length: > 0 } text) return;
            words.Enqueue(text);
            while (words.Count > KeptLines) words.TryDequeue(out _);
        };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();

        var (current, ended, failed) = (first, false, false);
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            var item = bench.Items[current];
            var most = Math.Min(Left, item.MostSeconds - Stopwatch.GetElapsedTime(since).TotalSeconds);
            if (most <= 0 || !lines.TryTake(out string? line, TimeSpan.FromSeconds(Math.Min(most, 3600.0))))
            {
                process.Kill(entireProcessTree: true);
                process.WaitForExit();
                if (Left <= 0) return current;
                return Fail($"it took more than {item.MostSeconds} s");
            }

            if (line is null)
            {
                process.WaitForExit();
                if (ended) return current + 1;
                return failed ? Finish() : Fail($"its process ended with {process.ExitCode}: {string.Join(" | ", words)}");
            }

            switch (line.Split(' '))
            {
                case ["begin", var number]:
                    (current, ended, since) = (int.Parse(number, CultureInfo.InvariantCulture), false, Stopwatch.GetTimestamp());
                    break;
                case ["end", _]:
                    ended = true;
                    Done(item);
                    break;
                default:
                    var figure = Figure.FromJson(line);
                    failed |= figure.Name == Figure.Failed;
                    figures.Add(figure);
                    break;
            }
        }

        int Fail(string how)
        {
            figures.Add(new Figure(bench.Items[current].Part, bench.Items[current].Name, Figure.Failed, Text: how));
            return Finish();
        }

        int Finish()
        {
            Done(bench.Items[current]);
            return current + 1;
        }
    }

    // All time since the previous item belongs to this one: the start of a process, compilation, and waiting.
    void Done(WorkItem item)
    {
        secondsOfParts[item.Part] = secondsOfParts.GetValueOrDefault(item.Part) + Passed - secondsBefore;
        secondsBefore = Passed;
        done(item);
    }

    Process Start(int first)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, RedirectStandardError = true };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(Supervisor).Assembly.Location);
        string[] all = ["gpu", "worker", .. args, "--from", first.ToString(CultureInfo.InvariantCulture)];
        foreach (var argument in all) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }
}
