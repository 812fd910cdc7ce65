using System.Runtime.ExceptionServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>A kernel that is cut into chunks. The chunks depend on shapes alone, never on the number of threads.</summary>
/// <remarks>
/// All code that runs for each chunk, down to the innermost loop, is marked AggressiveOptimization. Otherwise its first calls, and with profile-guided
/// tiers all calls of the first seconds, would run in code that counts calls and branches and keeps nothing in registers.
/// </remarks>
interface IChunkedJob
{
    void Run(int chunk);
}

/// <summary>The threads that run kernels: one team for the process.</summary>
static class ThreadTeam
{
    static readonly Team All = new(Environment.ProcessorCount);

    /// <summary>The number of threads that kernels use, including the calling thread. The default is the number of cores.</summary>
    public static int Threads
    {
        get => All.Threads;
        set => All.Threads = value;
    }

    /// <summary>Calls body(chunk) for every chunk in [0, chunks), on any thread, in any order.</summary>
    public static void Run(int chunks, Action<int> body) => All.Run(chunks, new DelegateJob(body));

    /// <summary>
    /// Runs every chunk in [0, chunks) once, on any thread, in any order, and returns when all have ended. If chunks throw, the others still run.
    /// Then the exception of the chunk with the lowest number is thrown, so it is the same exception on any number of threads.
    /// </summary>
    public static void Run<TJob>(int chunks, in TJob job) where TJob : struct, IChunkedJob => All.Run(chunks, job);

    readonly struct DelegateJob(Action<int> body) : IChunkedJob
    {
        public void Run(int chunk) => body(chunk);
    }
}

/// <summary>
/// A calling thread shares its job (<see cref="SharedJob"/>) with workers, which join when they are awake. So a core that another process uses
/// costs only its own share of the speed.
/// </summary>
/// <remarks>
/// Several threads may call at the same time. Each counts as one of the team's threads. So with more callers each requests fewer helpers, and if there are as
/// many callers as threads, each runs alone and waits for nobody. A call from inside a job runs on the calling thread alone.
/// </remarks>
sealed class Team(int threads, int looks = Worker.LooksBeforeSleep)
{
    /// <summary>Whether the calling thread is already running chunks of a job.</summary>
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

    /// <summary>Marks the calling thread as a worker, so that calls from its chunks run on this thread alone.</summary>
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

    // Workers never end. So a reader may hold an older, shorter array: all its workers still work.
    Worker[] Hire(int count)
    {
        lock (hiring)
        {
            while (workers.Length < count) Volatile.Write(ref workers, [.. workers, new Worker(member: workers.Length + 1, looks)]);
            return workers;
        }
    }
}
