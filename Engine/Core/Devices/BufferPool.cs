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
    readonly Dictionary<long, Stack<DeviceMemory>> free = [];
    readonly ConcurrentQueue<Storage> finalized = [];
    readonly Lock gate = new();
    long inUse, reserved, peak, nudgeAt = NudgeBytes;

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
            foreach (var block in free.Values.SelectMany(blocks => blocks))
            {
                reserved -= block.Bytes;
                block.Dispose();
            }

            free.Clear();
        }
    }

    internal DeviceMemory Rent(long bytes)
    {
        var size = RoundUp(bytes);
        ReleaseFinalized();
        NudgeCollector(size);
        lock (gate)
        {
            inUse += size;
            peak = Math.Max(peak, inUse);
            if (free.TryGetValue(size, out var blocks) && blocks.TryPop(out var block)) return block;
        }

        try
        {
            return Allocate(size);
        }
        catch (OutOfMemoryException)
        {
            // Free blocks of other sizes, and handles that nobody reads any more, may hold what is missing.
            Collect();
            Trim();
        }

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

    internal void Return(DeviceMemory block)
    {
        lock (gate)
        {
            inUse -= block.Bytes;
            if (!free.TryGetValue(block.Bytes, out var blocks)) free[block.Bytes] = blocks = [];
            blocks.Push(block);
        }
    }

    internal void ReleaseLater(Storage storage) => finalized.Enqueue(storage);

    DeviceMemory Allocate(long size)
    {
        var block = allocate(size);
        lock (gate) reserved += size;
        return block;
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
        while (finalized.TryDequeue(out var storage)) storage.Release();
    }

    static long RoundUp(long bytes)
    {
        bytes = Math.Max(bytes, 64);
        var step = Math.Max(64, (long)BitOperations.RoundUpToPowerOf2((ulong)bytes) >> 4);
        return (bytes + step - 1) / step * step;
    }
}
