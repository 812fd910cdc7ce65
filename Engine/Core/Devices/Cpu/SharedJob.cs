using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// One thread's job while others help with it, then its next job. Each member begins with a share of the chunks that is its own, the same part
/// of the batch in job after job, whose data its core's caches hold; then it helps the others with theirs.
/// </summary>
/// <remarks>
/// Why it is right. The gate is one word: how many helpers are inside, and whether it is shut. The caller writes the fields only while the
/// gate is shut and nobody is inside; a helper reads them only while it is inside.
/// <list type="bullet">
/// <item>A late helper does no harm. It enters by one compare-exchange, which fails on a shut gate, and acts on nothing that it read before.
/// So whoever is inside sees the job that the gate was opened for, and that job has not ended.</item>
/// <item>Each chunk runs once. The shares part [0, chunks) between them, and a share's counter gives each number out once.</item>
/// <item>The caller returns after the last chunk. It takes chunks until every share is empty, so each was taken by it or by somebody inside.
/// Then it shuts the gate: nobody enters any more, and who is inside leaves when its last chunk has ended, also where that throws.
/// When nobody is inside, all chunks have ended and the fields, and the job on the caller's stack, are the caller's alone.</item>
/// <item>No counter drifts. Each job sets the counters of its shares anew; one passes its end by a step for each member inside at most, in a
/// word of 64 bits. The gate counts no more than there are workers.</item>
/// <item>Nobody waits in a circle. The caller waits only for those inside; they run chunks, and what a chunk calls runs on its thread alone.</item>
/// </list>
/// Where two cores do not share a cache, a step with chunks handed out in turn was seen to take 1.4 times as long.
/// </remarks>
sealed unsafe class SharedJob
{
    // Far below zero: whatever number of helpers is inside, the sum tells that the gate is shut.
    const long Shut = long.MinValue;

    readonly Lock failing = new();
    Padded gate = new() { Value = Shut };
    Share[] shares = [];
    int members;
    void* job;
    delegate*<void*, int, void> body;
    Exception? failure;
    int failedChunk;

    /// <summary>Runs all chunks, with those of the helpers who come. The calling thread is member 0.</summary>
    public void Run<TJob>(int chunks, in TJob given, ReadOnlySpan<Worker> helpers) where TJob : struct, IChunkedJob
    {
        members = helpers.Length + 1;
        if (shares.Length < members) shares = [.. Enumerable.Range(0, members).Select(_ => new Share())];
        for (var member = 0; member < members; member++) shares[member].Fill((int)((long)chunks * member / members), (int)((long)chunks * (member + 1) / members));
        // The job lies on this stack frame, where nothing moves it, and the frame outlives it.
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

    /// <summary>Takes chunks while there are any; nothing if the job has ended, or if it is another one, of fewer members.</summary>
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

    // Yields and never sleeps: a sleep may end in a ThreadInterruptedException, with helpers still at work on this stack frame.
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

    /// <summary>The chunks that one member takes first.</summary>
    sealed class Share
    {
        Padded next;
        int end;

        public void Fill(int from, int to) => (next.Value, end) = (from, to);

        // An empty share is only looked at, so that its cache line stays with all who look.
        public bool TryTake(out int chunk)
        {
            chunk = 0;
            if (Volatile.Read(ref next.Value) >= end || Interlocked.Increment(ref next.Value) - 1 is var taken && taken >= end) return false;
            chunk = (int)taken;
            return true;
        }
    }
}

/// <summary>A counter that shares its cache lines with nothing.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
struct Padded
{
    [FieldOffset(128)] public long Value;
}
