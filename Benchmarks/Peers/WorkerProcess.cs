using System.Diagnostics;
using System.Globalization;

namespace QuadEngine.Benchmarks.Peers;

/// <summary>The parent's side of a <see cref="Worker"/>.</summary>
sealed class WorkerProcess : IDisposable
{
    readonly Process process;

    /// <summary>Starts the process; returns when it has warmed up.</summary>
    /// <exception cref="InvalidOperationException">The process ended before it had warmed up.</exception>
    public WorkerProcess(Contender contender)
    {
        Contender = contender;
        var start = new ProcessStartInfo(contender.Build ?? Environment.ProcessPath!) { RedirectStandardInput = true, RedirectStandardOutput = true };
        foreach (var argument in contender.ToArguments()) start.ArgumentList.Add(argument);
        foreach (var (name, value) in contender.Environment()) start.Environment[name] = value;
        start.Environment["OMP_NUM_THREADS"] = $"{contender.Threads}";
        process = Process.Start(start)!;
        var ready = Read().Split(' ', 3);
        (SecondsToFirstStep, Version) = (double.Parse(ready[1], CultureInfo.InvariantCulture), ready[2]);
    }

    public Contender Contender { get; }

    /// <summary>The library's name and version, as it reports them.</summary>
    public string Version { get; }

    /// <summary>The time from the start of the process to the end of its first step.</summary>
    public double SecondsToFirstStep { get; }

    /// <summary>The highest resident memory of the process so far.</summary>
    public long PeakBytes => long.Parse(Ask("peak"), CultureInfo.InvariantCulture);

    /// <summary>Mean milliseconds of a step, over the given number of steps.</summary>
    public double Run(int steps) => double.Parse(Ask($"run {steps}"), CultureInfo.InvariantCulture);

    public void Dispose()
    {
        process.StandardInput.Close();
        process.WaitForExit();
        process.Dispose();
    }

    string Ask(string question)
    {
        process.StandardInput.WriteLine(question);
        process.StandardInput.Flush();
        return Read();
    }

    string Read() => process.StandardOutput.ReadLine() ?? throw new InvalidOperationException($"The process of {Contender.Name} ({Contender.Work}) ended; its own message is above.");
}
