using QuadEngine.Benchmarks.Bandwidth;
using QuadEngine.Benchmarks.Gpu;
using QuadEngine.Benchmarks.Operations;
using QuadEngine.Benchmarks.Profile;

namespace QuadEngine.Benchmarks;

/// <summary>The measurements of the program: `dotnet run -c Release --project Benchmarks -- VERB [options]`.</summary>
static class Verbs
{
    /// <summary>Each verb with its measurement, which returns the exit status.</summary>
    public static IReadOnlyDictionary<string, Func<string[], int>> All { get; } = new SortedDictionary<string, Func<string[], int>>
    {
        ["bandwidth"] = BandwidthBenchmarks.Run,  // kernels that only move memory, as shares of a copy
        ["gpu"] = GpuReport.Run,                  // checks a GPU against the CPU, then times it
        ["kernels-tour"] = KernelsTour.Run,       // the steps of docs/kernels.md
        ["micro"] = OperationBenchmarks.Run,      // BenchmarkDotNet over all operation cases
        ["operations"] = OperationTable.Run,      // the same cases in seconds, as shares of the machine's limits
        ["profile"] = StepProfile.Run,            // the time of each kernel in a training step
    };

    public static int Usage()
    {
        Console.Error.WriteLine($"dotnet run -c Release --project Benchmarks -- VERB [options], VERB one of: {string.Join(", ", All.Keys)}");
        return 2;
    }
}
