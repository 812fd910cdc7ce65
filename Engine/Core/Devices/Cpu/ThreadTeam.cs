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

/// <summary>The threads that kernels run on: one team for the process.</summary>
static class ThreadTeam
{
    static readonly Team All = new(Environment.ProcessorCount);

    /// <summary>Threads that kernels use, the calling one included; all cores at start.</summary>
    public static int Threads
    {
        get => All.Threads;
        set => All.Threads = value;
    }

    /// <summary>Calls body(chunk) for every chunk in [0, chunks), on any thread, in any order.</summary>
    public static void Run(int chunks, Action<int> body) => All.Run(chunks, new DelegateJob(body));

    /// <summary>
    /// Runs every chunk in [0, chunks) once, on any thread, in any order; returns when all have ended. Where chunks throw, the others run
    /// all the same, and then the exception of the first of them, by number, is thrown: the same one on any number of threads.
    /// </summary>
    public static void Run<TJob>(int chunks, in TJob job) where TJob : struct, IChunkedJob => All.Run(chunks, job);

    readonly struct DelegateJob(Action<int> body) : IChunkedJob
    {
        public void Run(int chunk) => body(chunk);
    }
}

/// <summary>
/// A thread that calls shares its job (<see cref="SharedJob"/>) with workers, who join when they are awake: so a core taken by somebody else
/// costs its share of the speed and no more.
/// </summary>
/// <remarks>
/// Several threads may call at once. Each counts as one of the team's threads, so the more they are the fewer helpers each asks for, and as
/// many callers as threads run alone and wait for nobody. A call from within a job runs on the calling thread alone.
/// </remarks>
sealed class Team(int threads, int looks = Worker.LooksBeforeSleep)
{
    /// <summary>The calling thread runs chunks of a job already.</summary>
    [ThreadStatic] static bool inJob;

    [ThreadStatic] static SharedJob? ofThread;

    readonly Lock hiring = new();
    Worker[] workers = [];
    int threads = threads;
    Padded callers;

    public int Threads
    {
        get => Volatile.Read(ref threads);
        set => Volatile.Write(ref threads, value > 0 ? value : throw new ArgumentException($"Threads: {value} threads cannot work; use 1 or more."));
    }

    public void Run<TJob>(int chunks, in TJob job) where TJob : struct, IChunkedJob
    {
        if (chunks < 2 || inJob || Threads is var most && most < 2)
        {
            RunAlone(chunks, job);
            return;
        }

        var others = Interlocked.Increment(ref callers.Value) - 1;
        try
        {
            var helpers = (int)Math.Min(chunks, most - others) - 1;
            if (helpers < 1) RunAlone(chunks, job);
            else RunShared(chunks, job, helpers);
        }
        finally
        {
            Interlocked.Decrement(ref callers.Value);
        }
    }

    /// <summary>Marks the calling thread as a worker: what its chunks call runs on it alone.</summary>
    public static void JoinForLife() => inJob = true;

    void RunShared<TJob>(int chunks, in TJob job, int helpers) where TJob : struct, IChunkedJob
    {
        var hired = Volatile.Read(ref workers);
        if (hired.Length < helpers) hired = Hire(helpers);
        var shared = ofThread ??= new();
        inJob = true;
        try
        {
            shared.Run(chunks, job, hired.AsSpan(0, helpers));
        }
        finally
        {
            inJob = false;
        }
    }

    static void RunAlone<TJob>(int chunks, in TJob job) where TJob : struct, IChunkedJob
    {
        var own = job;
        Exception? failure = null;
        for (var chunk = 0; chunk < chunks; chunk++)
        {
            try
            {
                own.Run(chunk);
            }
            catch (Exception exception)
            {
                failure ??= exception;
            }
        }

        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    // Workers are never dismissed: readers may hold an array of fewer, all of whom still work.
    Worker[] Hire(int count)
    {
        lock (hiring)
        {
            while (workers.Length < count) Volatile.Write(ref workers, [.. workers, new Worker(member: workers.Length + 1, looks)]);
            return workers;
        }
    }
}
