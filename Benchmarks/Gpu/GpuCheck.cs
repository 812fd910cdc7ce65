using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Tests.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Every method of the backend against the CPU device, by the cases of the tests; products at each precision.</summary>
static class GpuCheck
{
    static readonly string[] Products = [nameof(Backend.MatMul), nameof(Backend.Conv2d), nameof(Backend.Conv2dInputGradient), nameof(Backend.Conv2dFilterGradient)];

    /// <summary>The relative error that a precision may have.</summary>
    public static double Limit(Precision precision) => precision switch
    {
        Precision.Tf32 => 2e-3,
        Precision.Bf16 => 1e-2,
        _ => 1e-4,
    };

    /// <summary>Prints the largest error of each method and gives the largest share of its limit for each precision at which something was checked.</summary>
    /// <param name="devices">The device at each precision.</param>
    /// <param name="methods">Only those whose names have this; all for an empty text.</param>
    /// <param name="seeds">Random calls of each case.</param>
    public static IReadOnlyDictionary<Precision, double> Run(IReadOnlyDictionary<Precision, GpuDevice> devices, string methods, int seeds)
    {
        Console.WriteLine($"\n{"against the CPU: largest relative error",-44} {string.Join(' ', devices.Keys.Select(precision => $"{precision,9}"))}");
        var worst = new Dictionary<Precision, double>();
        foreach (var method in BackendCases.All.Where(testCase => testCase.Method.Contains(methods, StringComparison.OrdinalIgnoreCase)).GroupBy(testCase => testCase.Method))
        {
            var cells = new List<string>();
            foreach (var (precision, device) in devices)
            {
                if (precision != Precision.Float32 && !Products.Contains(method.Key)) continue;
                var (error, share) = Largest(method, device, Limit(precision), seeds);
                worst[precision] = Math.Max(worst.GetValueOrDefault(precision), share);
                cells.Add($"{error,9:E1}{(share <= 1 ? "" : " WRONG")}");
            }

            Console.WriteLine($"{method.Key,-44} {string.Join(' ', cells)}");
        }

        return worst;
    }

    // A case that is known to lose more digits than others has a limit of its own.
    static (double Error, double Share) Largest(IEnumerable<BackendCase> cases, GpuDevice device, double limit, int seeds)
    {
        var largest = (Error: 0.0, Share: 0.0);
        foreach (var testCase in cases)
            for (var seed = 0; seed < seeds; seed++)
            {
                using var scope = new TensorScope();
                foreach (var (_, expected, got) in Sample.Run(testCase, Device.Cpu, device, seed))
                {
                    var error = Error(expected, got);
                    var share = error / Math.Max(limit, testCase.Tolerance);
                    if (!(share <= largest.Share)) largest = (error, share);
                }
            }

        return largest;
    }

    static double Error(float[] expected, float[] got)
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
