using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Tests.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>Compares every method of the backend with the CPU device, by the cases of the tests; products at each precision.</summary>
static class CheckPart
{
    public const string Part = "check", Error = "largest relative error", Share = "share of its limit";

    public static readonly string[] Products = [nameof(Backend.MatMul), nameof(Backend.Conv2d), nameof(Backend.Conv2dInputGradient), nameof(Backend.Conv2dFilterGradient)];

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
        from method in BackendCases.All.GroupBy(testCase => testCase.Method)
        where method.Key.Contains(bench.Methods, StringComparison.OrdinalIgnoreCase)
        from precision in Products.Contains(method.Key) ? Enum.GetValues<Precision>() : [Precision.Float32]
        select new WorkItem(Part, $"{method.Key}, {precision}", () => Largest(method, bench.At(precision), bench.Seeds));

    /// <summary>The largest relative error that is allowed at a precision.</summary>
    public static double Limit(Precision precision) => precision switch
    {
        Precision.Tf32 => 2e-3,
        Precision.Bf16 => 1e-2,
        _ => 1e-4,
    };

    /// <summary>The largest error of some cases. A case that is known to lose more digits has its own limit.</summary>
    public static (string Name, double? Value, string? Text)[] Largest(IEnumerable<BackendCase> cases, GpuDevice device, int seeds, bool aligned = false)
    {
        var largest = (Error: 0.0, Share: 0.0, Where: "");
        foreach (var testCase in cases)
            for (var seed = 0; seed < seeds; seed++)
            {
                using var scope = new TensorScope();
                foreach (var (name, expected, got) in Sample.Run(testCase, Device.Cpu, device, seed, aligned: aligned))
                {
                    var error = ErrorOf(expected, got);
                    var share = error / Math.Max(Limit(device.Precision), testCase.Tolerance);
                    if (!(share <= largest.Share)) largest = (error, share, $"{testCase}, seed {seed}: {name}");
                }
            }

        (string, double?, string?)[] found = [(Error, largest.Error, null), (Share, largest.Share, null)];
        return largest.Share <= 1 ? found : [.. found, ("where", null, largest.Where)];
    }

    static double ErrorOf(float[] expected, float[] got)
    {
        var (scale, largest) = (1.0, 0.0);
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] == got[i] || float.IsNaN(expected[i]) && float.IsNaN(got[i])) continue;
            var difference = Math.Abs((double)expected[i] - got[i]);
            if (double.IsNaN(difference)) return double.PositiveInfinity;
            (scale, largest) = (Math.Max(scale, Math.Abs(expected[i])), Math.Max(largest, difference));
        }

        return largest / scale;
    }
}
