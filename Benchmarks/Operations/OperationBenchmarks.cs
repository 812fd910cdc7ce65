using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace QuadEngine.Benchmarks.Operations;

/// <summary>Every operation case under BenchmarkDotNet, for the spread of a single kernel; --filter chooses among them.</summary>
public class OperationBenchmarks
{
    Action call = () => { };

    /// <summary>The kernel measured.</summary>
    [ParamsSource(nameof(Cases))]
    public OperationCase Case { get; set; } = OperationCase.All[0];

    /// <summary>All kernels.</summary>
    public static IEnumerable<OperationCase> Cases => OperationCase.All;

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Prepare() => call = Case.Prepare(Device.Cpu);

    /// <summary>One call.</summary>
    [Benchmark]
    public void Call() => call();

    internal static int Run(string[] args)
    {
        var config = DefaultConfig.Instance.AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance));
        BenchmarkSwitcher.FromTypes([typeof(OperationBenchmarks)]).Run(args, config);
        return 0;
    }
}
