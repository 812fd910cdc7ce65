using System.Reflection;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Cpu;

/// <summary>The team of threads with real threads. All orders of a few steps are in Tests/Interleaving.</summary>
[NonParallelizable]
class ThreadTeamTests
{
    int threads;

    [SetUp]
    public void Keep() => threads = ThreadTeam.Threads;

    [TearDown]
    public void Restore() => ThreadTeam.Threads = threads;

    [Test]
    public void No_counter_drifts_however_many_jobs_run()
    {
        // One job for four threads, then jobs for two: two shares of chunks are idle.
        ThreadTeam.Threads = 4;
        ThreadTeam.Run(4, new EmptyJob());
        ThreadTeam.Threads = 2;
        Run(1_000);
        var before = LargestNumber();
        Run(50_000);
        Assert.That(LargestNumber(), Is.LessThanOrEqualTo(before + 100));

        static void Run(int jobs)
        {
            for (var job = 0; job < jobs; job++) ThreadTeam.Run(2, new EmptyJob());
        }
    }

    [Test]
    public void Jobs_from_several_threads_run_each_chunk_once_while_the_number_of_threads_changes()
    {
        const int Callers = 3;
        var end = Environment.TickCount64 + 3_000;
        long jobs = 0;
        var callers = Enumerable.Range(0, Callers).Select(caller => Task.Factory.StartNew(() =>
        {
            for (var job = 0; Environment.TickCount64 < end; job++)
            {
                // Each job has new memory, so that the collector moves the objects of jobs while they run.
                var counts = new int[9];
                if (caller == 0 && job % 50 == 0) ThreadTeam.Threads = 1 + job / 50 * 5 % 8;
                var chunks = 1 + (job + caller) % 9;
                ThreadTeam.Run(chunks, new CountingJob(counts));
                // This finds a chunk that ran for the previous job, ran twice, or has not run yet.
                for (var chunk = 0; chunk < counts.Length; chunk++)
                    if (counts[chunk] != (chunk < chunks ? 1 : 0)) throw new InvalidOperationException($"Job {job} of {chunks} chunks: chunk {chunk} ran {counts[chunk]} times.");
                Interlocked.Increment(ref jobs);
            }
        }, TaskCreationOptions.LongRunning)).ToArray();
        Assert.DoesNotThrow(() => Task.WaitAll(callers));
        TestContext.Out.WriteLine($"{jobs:N0} jobs");
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(4)]
    public void The_exception_of_the_first_chunk_that_throws_comes_after_all_chunks(int count)
    {
        ThreadTeam.Threads = count;
        for (var job = 0; job < 1_000; job++)
        {
            var ran = 0;
            var thrown = Assert.Throws<InvalidOperationException>(() => ThreadTeam.Run(8, chunk =>
            {
                Interlocked.Increment(ref ran);
                if (chunk is 3 or 6 or 7) Throw(chunk);
            }))!;
            Assert.That((thrown.Message, ran), Is.EqualTo(("chunk 3", 8)));
            Assert.That(thrown.StackTrace, Does.Contain(nameof(Throw)));
        }

        static void Throw(int chunk) => throw new InvalidOperationException($"chunk {chunk}");
    }

    [Test]
    public void A_job_within_a_job_runs_each_chunk_once()
    {
        ThreadTeam.Threads = 3;
        for (var job = 0; job < 1_000; job++)
        {
            var counts = new int[6];
            ThreadTeam.Run(3, outer => ThreadTeam.Run(2, inner => Interlocked.Increment(ref counts[2 * outer + inner])));
            Assert.That(counts, Is.All.EqualTo(1));
        }
    }

    [Test]
    public void A_job_allocates_nothing()
    {
        ThreadTeam.Threads = 2;
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.Zero);

        static void Run()
        {
            for (var job = 0; job < 1_000; job++) ThreadTeam.Run(4, new EmptyJob());
        }
    }

    [Test]
    public void A_job_keeps_nothing_alive_once_it_has_ended()
    {
        ThreadTeam.Threads = 2;
        var counts = RunWithFreshCounts();
        GC.Collect();
        Assert.That(counts.TryGetTarget(out _), Is.False);

        [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
        static WeakReference<int[]> RunWithFreshCounts()
        {
            var counts = new int[4];
            ThreadTeam.Run(4, new CountingJob(counts));
            return new(counts);
        }
    }

    /// <summary>The largest number that the team keeps anywhere, up to the value at which a counter can start closed.</summary>
    static long LargestNumber()
    {
        const int Closed = int.MaxValue / 2;
        var largest = 0L;
        HashSet<object> seen = new(ReferenceEqualityComparer.Instance);
        Stack<object?> open = new();
        const BindingFlags All = BindingFlags.Instance | BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        foreach (var type in typeof(ThreadTeam).Assembly.GetTypes().Where(type => type.Namespace == typeof(ThreadTeam).Namespace && IsOfTeam(type)))
        {
            var closed = type is { ContainsGenericParameters: true } ? type.MakeGenericType(typeof(EmptyJob)) : type;
            foreach (var field in closed.GetFields(All).Where(field => field.IsStatic && !field.IsLiteral)) open.Push(field.GetValue(null));
        }

        while (open.TryPop(out var value))
        {
            if (value is int or long) largest = Math.Max(largest, Convert.ToInt64(value) is var number && number >= Closed ? number - Closed : number);
            if (value is null || value.GetType() is var type && (type.IsPrimitive || type.IsPointer) || !type.IsValueType && !seen.Add(value)) continue;
            if (value is Array array) foreach (var item in array) open.Push(item);
            for (var part = type; part is not null && IsOfTeam(part); part = part.BaseType)
                foreach (var field in part.GetFields(All | BindingFlags.DeclaredOnly).Where(field => !field.IsStatic && !field.FieldType.IsPointer && !field.FieldType.IsFunctionPointer)) open.Push(field.GetValue(value));
        }

        return largest;

        static bool IsOfTeam(Type type) => (type.DeclaringType ?? type).Name is nameof(ThreadTeam) or "Team" or "SharedJob" or "Worker" or "Padded";
    }

    readonly struct EmptyJob : IChunkedJob
    {
        public void Run(int chunk)
        {
        }
    }

    readonly struct CountingJob(int[] counts) : IChunkedJob
    {
        public void Run(int chunk) => Interlocked.Increment(ref counts[chunk]);
    }
}
