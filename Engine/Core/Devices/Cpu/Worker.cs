namespace QuadEngine.Devices.Cpu;

/// <summary>A thread that helps with the jobs it is offered. A process that ends does not wait for it.</summary>
/// <remarks>
/// A worker without work spins for a third of a millisecond, which is longer than the pause between two kernels, and then sleeps.
/// To wake it costs a few tenths of a millisecond; in this time the other threads do its share.
/// An offer is a hint. It may be lost when several callers compete, or it may come when its job has ended. The caller of a job runs the chunks that nobody takes.
/// </remarks>
sealed class Worker
{
    /// <summary>The number of looks at the offer before the worker sleeps. Between two looks it pauses for eight spins, which .NET calibrates to 37 nanoseconds each; all looks take 0.3 milliseconds.</summary>
    public const int LooksBeforeSleep = 1000;

    readonly SemaphoreSlim bell = new(0);
    readonly int member, looks;
    SharedJob? offer;
    int asleep;

    public Worker(int member, int looks)
    {
        (this.member, this.looks) = (member, looks);
        // The thread starts without the caller's context, because the caller's guards and scopes do not hold for a worker.
        new Thread(Live) { IsBackground = true, Name = $"QuadEngine worker {member}" }.UnsafeStart();
    }

    /// <summary>
    /// Offers a job. An offer that is already there stays: it is either this caller's offer from its last job, or the offer of another caller who has not been served.
    /// A caller that makes an offer then reads the flag and wakes a sleeping worker, once for each time that it fell asleep.
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

    // A caller that offers after the flag is set wakes the worker. The second look sees an offer made before that.
    void Sleep()
    {
        Interlocked.Exchange(ref asleep, 1);
        if (Volatile.Read(ref offer) is not null && Interlocked.Exchange(ref asleep, 0) == 1) return;
        bell.Wait();
    }
}
