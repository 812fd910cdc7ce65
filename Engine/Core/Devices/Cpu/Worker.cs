namespace QuadEngine.Devices.Cpu;

/// <summary>A thread that helps with the jobs it is offered. A process that ends does not wait for it.</summary>
/// <remarks>
/// Out of work it looks out for the next job for a third of a millisecond, longer than the pause between two kernels, and then sleeps;
/// to wake it costs some tenths of a millisecond, in which the others do its share.
/// An offer is a hint. One may be lost where several callers compete, or come when its job has ended: the caller of a job runs what nobody takes.
/// </remarks>
sealed class Worker
{
    /// <summary>Looks at the offer, with a pause of eight times 37 nanoseconds between, as .NET measures them out: 0.3 milliseconds.</summary>
    public const int LooksBeforeSleep = 1000;

    readonly SemaphoreSlim bell = new(0);
    readonly int member, looks;
    SharedJob? offer;
    int asleep;

    public Worker(int member, int looks)
    {
        (this.member, this.looks) = (member, looks);
        // Without the context of the caller, whose guards and scopes are not the worker's.
        new Thread(Live) { IsBackground = true, Name = $"QuadEngine worker {member}" }.UnsafeStart();
    }

    /// <summary>
    /// An offer that waits already stays: it is this one, from the job before, or that of another caller, who has not been served.
    /// Who puts an offer there looks at the flag afterwards and rings for a worker asleep, once for each time it fell asleep.
    /// </summary>
    public void Offer(SharedJob job)
    {
        if (Interlocked.CompareExchange(ref offer, job, null) is null && Volatile.Read(ref asleep) == 1 && Interlocked.Exchange(ref asleep, 0) == 1) bell.Release();
    }

    void Live()
    {
        Team.JoinForLife();
        while (true)
        {
            for (var look = 0; look < looks; look++)
            {
                if (Volatile.Read(ref offer) is null)
                {
                    Thread.SpinWait(8);
                    continue;
                }

                Interlocked.Exchange(ref offer, null)!.Help(member);
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
