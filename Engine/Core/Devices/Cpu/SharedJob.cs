using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// The job of one thread while others help with it, and then its next job. Each member begins with its own share of the chunks: the same part
/// of the batch in every job, whose data is in the caches of its core. Then it helps the others with their shares.
/// </summary>
/// <remarks>
/// Why this is correct: the gate is one word, which holds the number of helpers inside and whether the gate is shut. The caller writes the fields only while the
/// gate is shut and nobody is inside; a helper reads them only while it is inside.
/// <list type="bullet">
/// <item>A late helper does no harm. It enters by one compare-exchange, which fails on a shut gate, and it uses nothing that it read before.
/// So every helper inside sees the job for which the gate was opened, and that job has not ended.</item>
/// <item>Each chunk runs once. The shares divide [0, chunks), and the counter of a share gives out each number once.</item>
/// <item>The caller returns after the last chunk. It takes chunks until every share is empty, so each chunk was taken by the caller or by a helper inside.
/// Then it shuts the gate. After that no helper enters, and each helper inside leaves when its last chunk has ended, even if the chunk throws.
/// When nobody is inside, all chunks have ended, and only the caller uses the fields and the job on its stack.</item>
/// <item>No counter overflows. Each job resets the counters of its shares. A counter passes its end by at most one step for each member inside, in a
/// word of 64 bits. The gate counts at most the number of workers.</item>
/// <item>There is no deadlock. The caller waits only for helpers inside. They run chunks, and a call from a chunk runs on its thread alone.</item>
/// </list>
/// On two cores that share no cache, a step took 1.4 times as long when chunks were handed out in turn.
/// </remarks>
sealed unsafe class SharedJob
{
    // This is far below zero, so that the sum with any number of helpers inside still shows that the gate is shut.
    const long Shut = long.MinValue;

    readonly Lock failing = new();
    Padded gate = new() { Value = Shut };
    Share[] shares = [];
    int members;
    void* job;
    delegate*<void*, int, void> body;
    Exception? failure;
    int failedChunk;

    /// <summary>Runs all chunks, together with the helpers that come. The calling thread is member 0.</summary>
    public void Run<TJob>(int chunks, in TJob given, ReadOnlySpan<Worker> helpers) where TJob : struct, IChunkedJob
    {
        members = helpers.Length + 1;
        if (shares.Length < members) shares = [.. Enumerable.Range(0, members).Select(_ => new Share())];
        for (var member = 0; member < members; member++) shares[member].Fill((int)((long)chunks * member / members), (int)((long)chunks * (member + 1) / members));
        // The job lies in this stack frame, where nothing moves it. The frame exists until all chunks have ended.
        var own = given;
        job = Unsafe.AsPointer(ref own);
        body = &RunChunk<TJob>;

        Volatile.Write(ref gate.Value, 0);
        try
        {
            foreach (var helper in helpers) helper.Offer(this);
            TakeChunks(member: 0);
        }
        finally
        {
            if (Interlocked.Add(ref gate.Value, Shut) != Shut) WaitForHelpers();
        }

        if (failure is { } exception)
        {
            failure = null;
            ExceptionDispatchInfo.Throw(exception);
        }
    }

    /// <summary>Runs chunks while there are any. It does nothing if the job has ended, or if it is now another job with fewer members.</summary>
    public void Help(int member)
    {
        if (!TryEnter()) return;
        if (member < members) TakeChunks(member);
        Interlocked.Decrement(ref gate.Value);
    }

    bool TryEnter()
    {
        var seen = Volatile.Read(ref gate.Value);
        while (seen >= 0)
        {
            var found = Interlocked.CompareExchange(ref gate.Value, seen + 1, seen);
            if (found == seen) return true;
            seen = found;
        }

        return false;
    }

    // This yields and never sleeps: a sleep may end in a ThreadInterruptedException while helpers still use this stack frame.
    void WaitForHelpers()
    {
        var wait = new SpinWait();
        while (Volatile.Read(ref gate.Value) != Shut)
        {
            if (wait.NextSpinWillYield) Thread.Yield();
            else wait.SpinOnce();
        }
    }

    void TakeChunks(int member)
    {
        for (var turn = 0; turn < members; turn++)
        {
            var share = shares[(member + turn) % members];
            while (share.TryTake(out var chunk))
            {
                try
                {
                    body(job, chunk);
                }
                catch (Exception exception)
                {
                    Fail(chunk, exception);
                }
            }
        }
    }

    static void RunChunk<TJob>(void* job, int chunk) where TJob : struct, IChunkedJob => Unsafe.AsRef<TJob>(job).Run(chunk);

    void Fail(int chunk, Exception exception)
    {
        lock (failing)
            if (failure is null || chunk < failedChunk) (failure, failedChunk) = (exception, chunk);
    }

    /// <summary>The chunks that one member takes first: its share.</summary>
    sealed class Share
    {
        Padded next;
        int end;

        public void Fill(int from, int to) => (next.Value, end) = (from, to);

        // An empty share is only read, so that its cache line stays in the caches of all readers.
        public bool TryTake(out int chunk)
        {
            chunk = 0;
            if (Volatile.Read(ref next.Value) >= end || Interlocked.Increment(ref next.Value) - 1 is var taken && taken >= end) return false;
            chunk = (int)taken;
            return true;
        }
    }
}

/// <summary>A counter that has its cache lines for itself.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
struct Padded
{
    [FieldOffset(128)] public long Value;
}
