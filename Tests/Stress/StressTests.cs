namespace QuadEngine.Tests.Stress;

/// <summary>
/// Threads that compute, share, overwrite, look, drop, fail and collect garbage, all at once, for a while: every value is the one that a single
/// thread gets, bit for bit. Memory that was freed holds NaN meanwhile (<see cref="GuardedMemory"/>), so that no read of it goes unseen.
/// </summary>
/// <remarks>
/// Half a minute, at two threads and at eight; QUADENGINE_STRESS_SECONDS makes it hours, QUADENGINE_STRESS_THREADS names another number of threads,
/// QUADENGINE_STRESS_SEED other dice.
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
