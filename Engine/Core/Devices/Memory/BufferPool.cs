using System.Collections.Concurrent;
using System.Numerics;

namespace QuadEngine.Devices;

/// <summary>
/// Keeps freed blocks for the next request of about the same size. Sizes are rounded up to one of eight steps per power of two, so a block
/// wastes at most an eighth, and a training step finds the blocks of the step before it.
/// </summary>
/// <remarks>
/// <para>Live bytes stay within a bound. Before they pass <see cref="CollectsAt"/>, which is twice the number of bytes that were
/// live after the last collection (256 MB at least), the pool runs the garbage collector and waits for it. The collector by itself sees only the small handles, not the memory behind them.</para>
/// <para>Tensors that the collector finalizes are queued and released at the next request, never on the finalizer thread.</para>
/// </remarks>
public sealed class BufferPool
{
    const long CollectBytes = 256L << 20;

    readonly Func<long, DeviceMemory> allocate;
    readonly FreeBlocks free = new();
    readonly ConcurrentQueue<Action> finalized = [];
    readonly List<WeakReference<IReclaimable>> reclaimable = [];
    readonly Lock gate = new();
    long inUse, reserved, peak, collectsAt = CollectBytes;
    BlockReserve? filling;
    int fillingThread;

    internal BufferPool(Func<long, DeviceMemory> allocate) => this.allocate = allocate;

    /// <summary>
    /// Whether returned blocks are filled with NaN and must still hold NaN when they are taken again, so that use of freed memory is
    /// found. It is for tests and for finding a fault, and costs a pass over each block. It is off unless the environment variable QUADENGINE_GUARD_MEMORY is 1.
    /// </summary>
    internal static bool IsGuarded { get; set; } = Environment.GetEnvironmentVariable("QUADENGINE_GUARD_MEMORY") == "1";

    /// <summary>The number of live bytes before which the collector runs.</summary>
    internal long CollectsAt => Volatile.Read(ref collectsAt);

    /// <summary>The bytes of live storage now, their highest value since <see cref="ResetPeak"/>, and the bytes held from the system.</summary>
    public (long InUse, long Peak, long Reserved) Statistics
    {
        get
        {
            ReleaseFinalized();
            lock (gate) return (inUse, peak, reserved);
        }
    }

    /// <summary>Starts a new measurement of the peak.</summary>
    public void ResetPeak()
    {
        ReleaseFinalized();
        lock (gate) peak = inUse;
    }

    /// <summary>Returns all free blocks to the system.</summary>
    public void Trim()
    {
        ReleaseFinalized();
        lock (gate)
        {
            foreach (var block in free.TakeAll())
            {
                reserved -= block.Bytes;
                block.Dispose();
            }
        }
    }

    internal DeviceMemory Rent(long bytes)
    {
        var size = RoundUp(bytes);
        ReleaseFinalized();
        CollectBeforeBound(size);
        if (Take(size) is { } free)
        {
            free.CheckPoison();
            return free;
        }

        if ((TryAllocate(size) ?? TakeResting(size)) is { } first) return first;

        // Free blocks of other sizes and unused handles may hold enough memory. If not, ask the owners of memory that can be dropped.
        Collect();
        Trim();
        if (TryAllocate(size) is { } second) return second;
        Reclaim();
        Trim();
        try
        {
            return Allocate(size);
        }
        catch (OutOfMemoryException)
        {
            lock (gate) inUse -= size;
            throw;
        }
    }

    DeviceMemory? Take(long size)
    {
        lock (gate)
        {
            if (Reserve?.TryTake(size) is { } own) return own;
            inUse += size;
            peak = Math.Max(peak, inUse);
            return free.TryTake(size) is { } block ? Belonging(block) : null;
        }
    }

    DeviceMemory? TakeResting(long size)
    {
        lock (gate)
        {
            if (Reserve?.TryTakeResting(size) is not { } own) return null;
            inUse -= size;
            return own;
        }
    }

    /// <summary>Registers an owner whose memory the pool requests before an allocation fails. The pool does not keep the owner alive.</summary>
    /// <param name="owner">The owner. It is asked once, even if it registered several times, and then forgotten; it may register again.</param>
    public void Register(IReclaimable owner)
    {
        lock (gate)
        {
            reclaimable.RemoveAll(other => !other.TryGetTarget(out var alive) || ReferenceEquals(alive, owner));
            reclaimable.Add(new(owner));
        }
    }

    /// <summary>Asks all registered owners for their memory.</summary>
    internal void Reclaim()
    {
        WeakReference<IReclaimable>[] owners;
        lock (gate)
        {
            owners = [.. reclaimable];
            reclaimable.Clear();
        }

        foreach (var owner in owners)
            if (owner.TryGetTarget(out var alive)) alive.Reclaim();
    }

    internal void Return(DeviceMemory block)
    {
        // Replays of a recorded step write into its reserved blocks even when they are free.
        if (IsGuarded && block.Reserve is null) block.Poison();
        lock (gate)
        {
            if (block.Reserve is { } reserve) reserve.Put(block);
            else Free(block);
        }
    }

    internal void ReleaseLater(Action release) => finalized.Enqueue(release);

    // ---- reserves

    /// <summary>Blocks that this thread takes from now on belong to the reserve, even when they are free; null ends this.</summary>
    internal void RentInto(BlockReserve? reserve)
    {
        lock (gate) (filling, fillingThread) = (reserve, Environment.CurrentManagedThreadId);
    }

    /// <summary>Ends a reserve. Its blocks become available to everyone, now or when they are freed.</summary>
    internal void Release(BlockReserve reserve)
    {
        lock (gate)
        {
            foreach (var block in reserve.Blocks) block.Reserve = null;
            reserve.Blocks.Clear();
            foreach (var block in reserve.TakeAll()) Free(block);
        }
    }

    BlockReserve? Reserve => filling is not null && fillingThread == Environment.CurrentManagedThreadId ? filling : null;

    DeviceMemory Belonging(DeviceMemory block)
    {
        if (Reserve is not { } reserve) return block;
        block.Reserve = reserve;
        reserve.Blocks.Add(block);
        return block;
    }

    void Free(DeviceMemory block)
    {
        inUse -= block.Bytes;
        free.Put(block);
    }

    DeviceMemory? TryAllocate(long size)
    {
        try
        {
            return Allocate(size);
        }
        catch (OutOfMemoryException)
        {
            return null;
        }
    }

    DeviceMemory Allocate(long size)
    {
        var block = allocate(size);
        lock (gate)
        {
            reserved += size;
            return Belonging(block);
        }
    }

    void CollectBeforeBound(long size)
    {
        if (Volatile.Read(ref inUse) + size <= CollectsAt) return;
        Collect();
        lock (gate) collectsAt = Math.Max(CollectBytes, 2 * (inUse + size));
    }

    void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        ReleaseFinalized();
    }

    void ReleaseFinalized()
    {
        while (finalized.TryDequeue(out var release)) release();
    }

    static long RoundUp(long bytes)
    {
        bytes = Math.Max(bytes, 64);
        var step = Math.Max(64, (long)BitOperations.RoundUpToPowerOf2((ulong)bytes) >> 4);
        return (bytes + step - 1) / step * step;
    }
}
