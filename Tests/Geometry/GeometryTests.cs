using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Geometry;

/// <summary>
/// Runs every method of the backend on random geometries, with extents of 0 and 1, primes, powers of two and their neighbors. Its results are
/// within the rounding of float32 of the expected ones. All of its outputs are written, and nothing else is.
/// </summary>
/// <remarks>
/// QUADENGINE_GEOMETRIES=N runs N of each, and QUADENGINE_FIRST_GEOMETRY=S begins at seed S. With N = 1 and the seed of a message, that geometry runs again.
/// </remarks>
public class GeometryTests
{
    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void The_cpu_is_right(GeometryCase testCase)
    {
        var threads = ThreadTeam.Threads;
        try
        {
            GeometryRun.Check(testCase, Device.Cpu, GeometryRun.Count(300), tiny: false, (draw, seed) =>
            {
                // Every fourth geometry also runs with other numbers of threads; from seed 1000 on, every hundredth.
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
}
