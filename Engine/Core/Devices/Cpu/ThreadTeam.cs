using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>A kernel cut into chunks. What a chunk is depends on shapes alone, never on the number of threads.</summary>
/// <remarks>
/// What runs for each chunk, down to the innermost loop, is marked AggressiveOptimization. Else its first calls, and with profile-guided
/// tiers some seconds of them, would run in code that counts calls and branches and keeps nothing in registers.
/// </remarks>
interface IChunkedJob
{
    void Run(int chunk);
}

/// <summary>
/// The threads that kernels run on. Each begins with a share of a job's chunks that is its own, the same part of the batch in job after job,
/// whose data its core's caches hold; then it helps the others with theirs. The calling thread always works, workers join when they are awake,
/// so a core taken by somebody else costs its share of the speed and no more.
/// </summary>
/// <remarks>
/// Where two cores do not share a cache, a step with chunks handed out in turn was seen to take 1.4 times as long.
/// A worker out of work looks out for the next job for a third of a millisecond, longer than the pause between two kernels,
/// and then sleeps; to wake it costs some tenths of a millisecond, in which the others do its share. A call from within a job, or while another thread uses the team, runs on the calling thread alone.
/// </remarks>
static class ThreadTeam
{
    static readonly Lock Hiring = new();
    static Worker[] workers = [];
    static int threads = Environment.ProcessorCount;
    static int busy;

    /// <summary>Threads that kernels use, the calling one included; all cores at start.</summary>
    public static int Threads
    {
        get => threads;
        set => threads = value > 0 ? value : throw new ArgumentException($"Threads: {value} threads cannot work; use 1 or more.");
    }

    /// <summary>Calls body(chunk) for every chunk in [0, chunks), on any thread, in any order.</summary>
    public static void Run(int chunks, Action<int> body) => Run(chunks, new DelegateJob(body));

    /// <summary>Runs every chunk in [0, chunks), on any thread, in any order; returns when all are done.</summary>
    public static void Run<TJob>(int chunks, in TJob job) where TJob : struct, IChunkedJob
    {
        var helpers = Math.Min(chunks, threads) - 1;
        if (helpers < 1 || Interlocked.CompareExchange(ref busy, 1, 0) != 0)
        {
            for (var chunk = 0; chunk < chunks; chunk++) job.Run(chunk);
            return;
        }

        try
        {
            if (workers.Length < helpers) Hire(helpers);
            Work<TJob>.OfTeam.Run(job, chunks, workers.AsSpan(0, helpers));
        }
        finally
        {
            Volatile.Write(ref busy, 0);
        }
    }

    static void Hire(int count)
    {
        lock (Hiring)
            while (workers.Length < count) workers = [.. workers, new Worker(workers.Length)];
    }

    readonly struct DelegateJob(Action<int> body) : IChunkedJob
    {
        public void Run(int chunk) => body(chunk);
    }

    /// <summary>One job and what is left of it.</summary>
    abstract class Work
    {
        Share[] shares = [];
        Padded done;
        Exception? failure;

        protected void Run(int count, ReadOnlySpan<Worker> helpers)
        {
            var members = helpers.Length + 1;
            if (shares.Length < members) shares = [.. Enumerable.Range(0, members).Select(_ => new Share())];
            done.Value = 0;
            failure = null;
            for (var member = 0; member < members; member++) shares[member].Open((int)((long)count * member / members), (int)((long)count * (member + 1) / members));
            foreach (var helper in helpers) helper.Offer(this);

            TakeChunks(member: 0);
            var wait = new SpinWait();
            while (Volatile.Read(ref done.Value) < count) wait.SpinOnce(sleep1Threshold: -1);

            for (var member = 0; member < members; member++) shares[member].Close();
            if (failure is { } exception) ExceptionDispatchInfo.Throw(exception);
        }

        public void TakeChunks(int member)
        {
            var all = shares;
            var ran = 0;
            for (var turn = 0; turn < all.Length; turn++)
            {
                var share = all[(member + turn) % all.Length];
                while (share.Take() is { } chunk)
                {
                    try
                    {
                        RunChunk(chunk);
                    }
                    catch (Exception exception)
                    {
                        Interlocked.CompareExchange(ref failure, exception, null);
                    }

                    ran++;
                }
            }

            if (ran > 0) Interlocked.Add(ref done.Value, ran);
        }

        protected abstract void RunChunk(int chunk);
    }

    /// <summary>The chunks that one member of the team takes first.</summary>
    sealed class Share
    {
        // Between jobs no chunk is on offer, so that a worker that comes late finds nothing.
        const int Closed = int.MaxValue / 2;

        Padded next = new() { Value = Closed };
        int end;

        public void Open(int from, int to)
        {
            end = to;
            Volatile.Write(ref next.Value, from);
        }

        public void Close() => Volatile.Write(ref next.Value, Closed);

        public int? Take() => Interlocked.Increment(ref next.Value) - 1 is var chunk && chunk < end ? chunk : null;
    }

    sealed class Work<TJob> : Work where TJob : struct, IChunkedJob
    {
        /// <summary>The team runs one job at a time, so one of each kind is enough and no call allocates.</summary>
        public static readonly Work<TJob> OfTeam = new();

        TJob job;

        public void Run(in TJob newJob, int chunks, ReadOnlySpan<Worker> helpers)
        {
            job = newJob;
            try
            {
                Run(chunks, helpers);
            }
            finally
            {
                job = default;
            }
        }

        protected override void RunChunk(int chunk) => job.Run(chunk);
    }

    sealed class Worker
    {
        // Looks at the offer, with a pause of eight times 37 nanoseconds between, as .NET measures them out: 0.3 milliseconds.
        const int Looks = 1000;

        readonly SemaphoreSlim bell = new(0);
        Work? offer;
        int asleep;

        readonly int member;

        public Worker(int index)
        {
            member = index + 1;
            new Thread(Live) { IsBackground = true, Name = $"QuadEngine worker {member}" }.UnsafeStart();      // not in the flow of who hires it
        }

        public void Offer(Work work)
        {
            Interlocked.Exchange(ref offer, work);
            if (Interlocked.Exchange(ref asleep, 0) == 1) bell.Release();
        }

        void Live()
        {
            while (true)
            {
                for (var look = 0; look < Looks; look++)
                {
                    if (Volatile.Read(ref offer) is null)
                    {
                        Thread.SpinWait(8);
                        continue;
                    }

                    Interlocked.Exchange(ref offer, null)!.TakeChunks(member);
                    look = 0;
                }

                Sleep();
            }
        }

        // Whoever offers after the flag is up rings the bell; an offer made before is seen by the second look.
        void Sleep()
        {
            Interlocked.Exchange(ref asleep, 1);
            if (Volatile.Read(ref offer) is not null && Interlocked.Exchange(ref asleep, 0) == 1) return;
            bell.Wait();
        }
    }

    /// <summary>A counter that shares its cache lines with nothing.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 256)]
    struct Padded
    {
        [System.Runtime.InteropServices.FieldOffset(128)] public int Value;
    }
}
