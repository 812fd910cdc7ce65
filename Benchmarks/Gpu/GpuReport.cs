using System.Globalization;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>
/// Checks a GPU against the CPU, times it beside its peers, and trains on it, as docs/gpu.md describes. It runs on any device of the Gpu package. On a CPU
/// (OpenCL, simulator) it does small work, to check the program itself.
/// </summary>
static class GpuReport
{
    public static int Run(string[] args)
    {
        try
        {
            return args is ["worker", .. var rest] ? Worker.Run(rest) : Supervise(args);
        }
        catch (ArgumentException mistake)
        {
            Console.Error.WriteLine(mistake.Message);
            return 2;
        }
    }

    static int Supervise(string[] args)
    {
        var bench = new GpuBench(args);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd}, {Environment.OSVersion}, .NET {Environment.Version}, {bench.Items.Count} items"));
        using var figures = new Figures(bench.Output);
        var summary = new GpuSummary(bench, figures);
        new Supervisor(bench, args, figures, item => Console.WriteLine(summary.Line(item))).Run();
        Console.WriteLine($"\n{summary}");
        return summary.IsRight ? 0 : 1;
    }
}
