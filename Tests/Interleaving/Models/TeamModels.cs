using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Interleaving.Models;

/// <summary>
/// The team of threads: chunks run once, the caller waits for the last chunk, and a late worker takes nothing. Workers check once before they sleep,
/// so every order contains their sleeping and waking.
/// </summary>
[TestFixture]
class TeamModels
{
    [Test]
    public void Each_chunk_of_each_job_runs_once_and_before_its_caller_returns()
    {
        var schedules = Interleavings.Explore(() => new Model(threads: 2), [m => { m.Run(job: 0, chunks: 2); m.Run(job: 1, chunks: 3); }], m => m.Check(2, 3), preemptions: 2);
        Report(schedules);
    }

    [Test]
    public void Three_members_share_a_job()
    {
        var schedules = Interleavings.Explore(() => new Model(threads: 3), [m => m.Run(job: 0, chunks: 3)], m => m.Check(3), preemptions: 1);
        Report(schedules);
    }

    [Test]
    public void Three_members_share_many_jobs_in_random_orders() =>
        Interleavings.Sample(() => new Model(threads: 3), [m => { for (var job = 0; job < 4; job++) m.Run(job, chunks: 2 + job); }], m => m.Check(2, 3, 4, 5), schedules: 1500, changes: 4);

    [Test]
    public void Two_callers_share_the_team()
    {
        var schedules = Interleavings.Explore(() => new Model(threads: 3), [m => m.Run(job: 0, chunks: 2), m => m.Run(job: 1, chunks: 2)], m => m.Check(2, 2), preemptions: 1);
        Report(schedules);
    }

    [Test]
    public void Two_callers_share_many_jobs_in_random_orders() =>
        Interleavings.Sample(() => new Model(threads: 3), [
            m => { m.Run(job: 0, chunks: 3); m.Run(job: 1, chunks: 2); m.Run(job: 2, chunks: 4); },
            m => { m.Run(job: 3, chunks: 2); m.Run(job: 4, chunks: 5); }], m => m.Check(3, 2, 4, 2, 5), schedules: 1500, changes: 4);

    [Test]
    public void The_number_of_threads_may_change_between_jobs() =>
        Interleavings.Sample(() => new Model(threads: 3), [m =>
        {
            m.Run(job: 0, chunks: 3);
            m.Team.Threads = 2;
            m.Run(job: 1, chunks: 3);
            m.Team.Threads = 4;
            m.Run(job: 2, chunks: 4);
        }], m => m.Check(3, 3, 4), schedules: 1500, changes: 4);

    [Test]
    public void A_job_within_a_job_runs()
    {
        var schedules = Interleavings.Explore(() => new Model(threads: 2), [m => m.Run(job: 0, chunks: 2, chunk => m.Run(job: 1 + chunk, chunks: 2))], m => m.Check(2, 2, 2), preemptions: 2);
        Report(schedules);
    }

    [Test]
    public void The_exception_of_the_first_chunk_that_throws_comes_after_all_chunks_and_the_team_goes_on()
    {
        var schedules = Interleavings.Explore(() => new Model(threads: 2), [m =>
        {
            try
            {
                m.Run(job: 0, chunks: 3, chunk => { if (chunk > 0) throw new ChunkException(chunk); });
                throw new InvalidOperationException("no exception");
            }
            catch (ChunkException exception) when (exception.Chunk == 1)
            {
            }

            m.Run(job: 1, chunks: 2);
        }], m => m.Check(3, 2), preemptions: 2);
        Report(schedules);
    }

    /// <summary>Each chunk waits for the other, so the job ends only if the worker takes part. So the worker must wake, whatever its state at the offer.</summary>
    [Test]
    public void A_worker_misses_no_offer_of_a_single_caller()
    {
        var schedules = Interleavings.Explore(() => new Model(threads: 2), [m => { m.RunTogether(job: 0); m.RunTogether(job: 1); }], m => m.Check(2, 2), preemptions: 1);
        Report(schedules);
    }

    static void Report(int schedules) => TestContext.Out.WriteLine($"{schedules} schedules");

    sealed class ChunkException(int chunk) : Exception($"chunk {chunk}")
    {
        public int Chunk => chunk;
    }

    /// <summary>A team, with the numbers of times that each chunk of each job began and ended.</summary>
    sealed class Model(int threads)
    {
        const int Jobs = 6, Chunks = 6;

        readonly int[,] began = new int[Jobs, Chunks], ended = new int[Jobs, Chunks];
        readonly bool[] isOpen = new bool[Jobs];

        public Team Team { get; } = new(threads, looks: 1);

        public void Run(int job, int chunks, Action<int>? body = null)
        {
            Volatile.Write(ref isOpen[job], true);
            try
            {
                Team.Run(chunks, new Job(this, job, body));
            }
            finally
            {
                Volatile.Write(ref isOpen[job], false);
                for (var chunk = 0; chunk < chunks; chunk++) Expect(Volatile.Read(ref ended[job, chunk]) == 1, $"job {job} returned before chunk {chunk} had ended");
            }
        }

        public void RunTogether(int job) => Run(job, chunks: 2, chunk =>
        {
            while (Volatile.Read(ref began[job, 1 - chunk]) == 0) Thread.Yield();
        });

        public void Check(params int[] chunks)
        {
            for (var job = 0; job < Jobs; job++)
                for (var chunk = 0; chunk < Chunks; chunk++)
                    Expect(began[job, chunk] == (job < chunks.Length && chunk < chunks[job] ? 1 : 0), $"chunk {chunk} of job {job} began {began[job, chunk]} times");
        }

        void RunChunk(int job, int chunk, Action<int>? body)
        {
            Expect(Volatile.Read(ref isOpen[job]), $"chunk {chunk} of job {job} began after its job");
            Interlocked.Increment(ref began[job, chunk]);
            try
            {
                body?.Invoke(chunk);
            }
            finally
            {
                Interlocked.Increment(ref ended[job, chunk]);
            }
        }

        readonly struct Job(Model model, int job, Action<int>? body) : IChunkedJob
        {
            public void Run(int chunk) => model.RunChunk(job, chunk, body);
        }

        static void Expect(bool holds, string otherwise)
        {
            if (!holds) throw new InvalidOperationException(otherwise);
        }
    }
}
