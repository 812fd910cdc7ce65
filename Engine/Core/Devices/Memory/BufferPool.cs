using System.Collections.Concurrent;
using System.Numerics;

namespace QuadEngine.Devices;

/// <summary>
/// Keeps freed blocks for the next request of about the same size. Sizes are rounded up to eight steps an octave, so a block
/// wastes at most an eighth, and a training step finds the blocks of the step before.
/// </summary>
/// <remarks>
/// <para>Live bytes stay within a bound, however the garbage collector behaves: before they pass <see cref="CollectsAt"/>, which is twice what was
/// live after the last collection (256 MB at least), the pool has the collector run and waits for it. The collector alone sees small handles, not the memory behind them.</para>
/// <para>Tensors that the collector finalizes are queued and released at the next request, never on the finalizer's own thread.</para>
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
    /// Blocks that come back are filled with NaN and blocks that are taken again must still hold it, so that memory used after it was freed is
    /// found. For tests and for finding a fault: it costs a pass over each block. Off unless the environment says QUADENGINE_GUARD_MEMORY=1.
    /// </summary>
    internal static bool IsGuarded { get; set; } = Environment.GetEnvironmentVariable("QUADENGINE_GUARD_MEMORY") == "1";

    /// <summary>Live bytes before which the collector runs.</summary>
    internal long CollectsAt => Volatile.Read(ref collectsAt);

    /// <summary>Bytes of live storage now, their highest value since <see cref="ResetPeak"/>, and bytes held from the system.</summary>
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

    /// <summary>Gives all free blocks back to the system.</summary>
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

        // Free blocks of other sizes, and handles that nobody reads any more, may hold what is missing; then what its owners can do without.
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

    /// <summary>Asks an owner for its memory before a request fails. The pool keeps no owner alive.</summary>
    /// <param name="owner">Asked once, however often it registered, then forgotten; it may register again.</param>
    public void Register(IReclaimable owner)
    {
        lock (gate)
        {
            reclaimable.RemoveAll(other => !other.TryGetTarget(out var alive) || ReferenceEquals(alive, owner));
            reclaimable.Add(new(owner));
        }
    }

    /// <summary>Asks all of them.</summary>
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
        // Replays of a recorded step write into the blocks that it keeps, in use or free.
        if (IsGuarded && block.Reserve is null) block.Poison();
        lock (gate)
        {
            if (block.Reserve is { } reserve) reserve.Put(block);
            else Free(block);
        }
    }

    internal void ReleaseLater(Action release) => finalized.Enqueue(release);

    // ---- reserves

    /// <summary>Blocks that this thread rents from now on belong to the reserve, also when they are free; null ends that.</summary>
    internal void RentInto(BlockReserve? reserve)
    {
        lock (gate) (filling, fillingThread) = (reserve, Environment.CurrentManagedThreadId);
    }

    /// <summary>Ends a reserve: its blocks are for everybody, now or when they are free.</summary>
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
