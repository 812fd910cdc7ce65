namespace QuadEngine.Tests.Stress;

/// <summary>
/// Threads compute, share, overwrite, read, drop, fail and collect garbage at the same time. Every value has the same bits as with a single
/// thread. Freed memory holds NaN (<see cref="GuardedMemory"/>), so that every read of it is found.
/// </summary>
/// <remarks>
/// The test takes half a minute, with two threads and with eight. QUADENGINE_STRESS_SECONDS changes the time, QUADENGINE_STRESS_THREADS the number of threads,
/// QUADENGINE_STRESS_SEED the seed.
/// </remarks>
[NonParallelizable]
public class StressTests
{
    static int Setting(string name, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable($"QUADENGINE_STRESS_{name}"), out var value) ? value : otherwise;

    static IEnumerable<int> ThreadCounts => Setting("THREADS", 0) is > 0 and var threads ? [threads] : [2, 8];

    [TestCaseSource(nameof(ThreadCounts))]
    public void Every_value_is_that_of_a_single_thread(int threads)
    {
        var time = TimeSpan.FromSeconds(Setting("SECONDS", 15));
        var before = Device.CpuThreads;
        try
        {
            using var shared = new SharedWork();
            Device.CpuThreads = threads;
            var counts = shared.Run(threads, time, (ulong)Setting("SEED", 1));
            TestContext.Out.WriteLine($"{threads} threads, {time.TotalSeconds} s: {string.Join(", ", counts.Select(count => $"{count.Value:N0} x {count.Key}"))}");
            Assert.That(counts.Values, Is.All.GreaterThan(0));
        }
        finally
        {
            Device.CpuThreads = before;
        }
    }
}
