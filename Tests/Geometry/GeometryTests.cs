using System.Globalization;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;
using QuadEngine.Tests.Gpu;

namespace QuadEngine.Tests.Geometry;

/// <summary>
/// Every method of the backend on geometries that nobody chose, with extents of 0 and 1, primes, powers of two and their neighbours: its results are
/// within the rounding of float32 of what they should be, all of its outputs are written and nothing else is.
/// </summary>
/// <remarks>
/// QUADENGINE_GEOMETRIES=N runs N of each, QUADENGINE_FIRST_GEOMETRY=S begins at seed S: with S and N = 1, the one that a message names is run again.
/// </remarks>
public class GeometryTests
{
    static int Setting(string name, int otherwise) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    static int First => Setting("QUADENGINE_FIRST_GEOMETRY", 0);

    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void The_cpu_is_right(GeometryCase testCase)
    {
        var threads = ThreadTeam.Threads;
        try
        {
            Run(testCase, Device.Cpu, Setting("QUADENGINE_GEOMETRIES", 300), tiny: false, (draw, seed) =>
            {
                // Every fourth on other numbers of threads too, of a hundred thousand fewer.
                if (seed % (seed < 1000 ? 4 : 100) != 0) return;
                foreach (var others in (int[])[1, 3, 5])
                {
                    ThreadTeam.Threads = others;
                    using var again = new Draw(Device.Cpu, seed, compare: false);
                    testCase.Run(again);
                    for (var i = 0; i < draw.Results.Count; i++) Assert.That(again.Results[i].AsSpan().SequenceEqual(draw.Results[i]), $"result {i} differs between {threads} and {others} threads");
                }

                ThreadTeam.Threads = threads;
            });
        }
        finally
        {
            ThreadTeam.Threads = threads;
        }
    }

    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void OpenCl_is_right(GeometryCase testCase)
    {
        // PoCL takes seconds for a kernel; BackendParityTests run all methods on it, and the texts for CUDA are executed in any case.
        var count = Math.Min(12, Setting("QUADENGINE_GEOMETRIES", 0));
        if (count == 0) Assert.Ignore("QUADENGINE_GEOMETRIES says how many geometries OpenCL runs; it compiles for more than a minute.");
        Run(testCase, TestDevices.OpenCl, count, tiny: false);
    }

    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void The_simulator_is_right(GeometryCase testCase) => Run(testCase, TestDevices.Simulator, Math.Min(4, Setting("QUADENGINE_GEOMETRIES", 4)), tiny: true);

    [Test]
    public void Every_method_of_the_backend_has_a_case() =>
        Assert.That(GeometryCases.All.Select(testCase => testCase.Method), Is.EquivalentTo(typeof(Kernels).GetMethods().Where(method => method.IsVirtual && method.DeclaringType == typeof(Kernels) && method.ReturnType == typeof(void)).Select(method => method.Name)));

    [Test]
    public void Statistics_of_no_rows_say_so()
    {
        using Tensor none = Tensor.Empty([0, 3]), depth = Tensor.Empty([0, 2]), weights = Tensor.Empty([2, 3]), mean = Tensor.Empty([3]), variance = Tensor.Empty([3]);
        var statistics = new ChannelStatistics<Tensor>(mean, variance);
        Assert.That(() => Device.Cpu.Backend.GatherStatistics(none, statistics), Throws.ArgumentException.With.Message.Contains("0 rows"));
        Assert.That(() => Device.Cpu.Backend.MatMul(depth, weights, new(1, 0, 3, 2, false, false, 0, 0), new Epilogue<Tensor> { Statistics = statistics }, none), Throws.ArgumentException.With.Message.Contains("0 rows"));
    }

    static void Run(GeometryCase testCase, Device device, int count, bool tiny, Action<Draw, int>? more = null)
    {
        int first = First;
        double worst = 0;
        var failures = new List<string>();
        for (var seed = first; seed < first + count; seed++)
        {
            using var draw = new Draw(device, seed, tiny);
            try
            {
                using var isolated = new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext();
                testCase.Run(draw);
                draw.CheckSurroundings();
                more?.Invoke(draw, seed);
            }
            catch (Exception exception)
            {
                failures.Add($"{testCase} on {device}, seed {seed}, {draw.Notes}: {exception.GetType().Name} {exception.Message}");
            }

            worst = Math.Max(worst, draw.Worst);
        }

        TestContext.Out.WriteLine($"{testCase} on {device}: {count} geometries from seed {first}, {failures.Count} wrong, largest error over bound {worst:F2}");
        if (failures.Count > 0) Assert.Fail($"{failures.Count} of {count} geometries are wrong:\n{string.Join('\n', failures.Take(5))}");
    }
}
