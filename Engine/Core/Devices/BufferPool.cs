using System.Collections.Concurrent;
using System.Numerics;

namespace QuadEngine.Devices;

/// <summary>
/// Keeps freed blocks for the next request of about the same size. Sizes are rounded up to eight steps an octave, so a block
/// wastes at most an eighth, and a training step finds the blocks of the step before.
/// </summary>
/// <remarks>
/// Tensors that the garbage collector finalizes are queued and released at the next request, never on the finalizer's own
/// thread: a kernel that still reads such a block has finished by then.
/// </remarks>
public sealed class BufferPool
{
    const long NudgeBytes = 256L << 20;

    readonly Func<long, DeviceMemory> allocate;
    readonly FreeBlocks free = new();
    readonly ConcurrentQueue<Action> finalized = [];
    readonly List<WeakReference<IReclaimable>> reclaimable = [];
    readonly Lock gate = new();
    long inUse, reserved, peak, nudgeAt = NudgeBytes;
    BlockReserve? filling;
    int fillingThread;

    internal BufferPool(Func<long, DeviceMemory> allocate) => this.allocate = allocate;

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
        NudgeCollector(size);
        lock (gate)
        {
            if (Reserve?.Free.TryTake(size) is { } own) return own;
            inUse += size;
            peak = Math.Max(peak, inUse);
            if (free.TryTake(size) is { } block) return Belonging(block);
        }

        if (TryAllocate(size) is { } first) return first;

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

    /// <summary>Asks an owner for its memory before a request fails. The pool keeps no owner alive.</summary>
    public void Register(IReclaimable owner)
    {
        lock (gate)
        {
            reclaimable.RemoveAll(other => !other.TryGetTarget(out _));
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
        lock (gate)
        {
            if (block.Reserve is { } reserve) reserve.Free.Put(block);
            else Free(block);
        }
    }

    internal void ReleaseLater(Storage storage) => ReleaseLater(storage.Release);

    internal void ReleaseLater(Action release) => finalized.Enqueue(release);

    // ---- reserves

    /// <summary>Blocks that this thread rents from now on belong to the reserve, also when they are free; null ends that.</summary>
    internal void Fill(BlockReserve? reserve)
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
            foreach (var block in reserve.Free.TakeAll()) Free(block);
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

    // The collector sees small handles, not the memory behind them, and would wait too long: it is called when live storage
    // has doubled since it last ran.
    void NudgeCollector(long size)
    {
        if (Volatile.Read(ref inUse) + size <= nudgeAt) return;
        Collect();
        nudgeAt = Math.Max(NudgeBytes, 2 * (Volatile.Read(ref inUse) + size));
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

/// <summary>Keeps on a device what it can do without, though slower: a data set that the host has too.</summary>
public interface IReclaimable
{
    /// <summary>Drops its tensors of the device, which has no memory left for others. Called on any thread.</summary>
    void Reclaim();
}

/// <summary>Free blocks by their sizes; of one size the last freed is taken first.</summary>
sealed class FreeBlocks
{
    readonly Dictionary<long, Stack<DeviceMemory>> bySize = [];

    public DeviceMemory? TryTake(long size) => bySize.TryGetValue(size, out var blocks) && blocks.TryPop(out var block) ? block : null;

    public void Put(DeviceMemory block)
    {
        if (!bySize.TryGetValue(block.Bytes, out var blocks)) bySize[block.Bytes] = blocks = [];
        blocks.Push(block);
    }

    public IReadOnlyList<DeviceMemory> TakeAll()
    {
        DeviceMemory[] all = [.. bySize.Values.SelectMany(blocks => blocks)];
        bySize.Clear();
        return all;
    }
}

/// <summary>
/// Blocks that nobody but their owner gets, in use or free: a recorded step writes into the memory it was recorded with at every replay.
/// They count as in use as long as the reserve lives.
/// </summary>
sealed class BlockReserve
{
    public FreeBlocks Free { get; } = new();

    public List<DeviceMemory> Blocks { get; } = [];
}
