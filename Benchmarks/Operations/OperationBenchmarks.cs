using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace QuadEngine.Benchmarks.Operations;

/// <summary>Operation cases under BenchmarkDotNet, which shows the spread of single kernels; --filter TEXT chooses the cases whose names contain TEXT.</summary>
public class OperationBenchmarks
{
    const int NameWidth = 80;

    static string filter = "";
    Action call = () => { };

    /// <summary>The measured kernel.</summary>
    [ParamsSource(nameof(Cases))]
    public OperationCase Case { get; set; } = OperationCase.All[0];

    /// <summary>The chosen kernels.</summary>
    public static IEnumerable<OperationCase> Cases => OperationCase.Matching(filter);

    /// <summary>Makes the operands.</summary>
    [GlobalSetup]
    public void Prepare() => call = Case.Prepare(Device.Cpu);

    /// <summary>One call.</summary>
    [Benchmark]
    public void Call() => call();

    internal static int Run(string[] args)
    {
        filter = new Arguments(args, "filter").Text("filter");
        BenchmarkRunner.Run<OperationBenchmarks>(DefaultConfig.Instance
            .AddJob(Job.ShortRun.WithToolchain(InProcessEmitToolchain.Instance))
            .WithSummaryStyle(SummaryStyle.Default.WithMaxParameterColumnWidth(NameWidth)));
        return 0;
    }
}
