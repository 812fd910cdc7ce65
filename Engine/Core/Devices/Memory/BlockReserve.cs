namespace QuadEngine.Devices;

/// <summary>
/// Blocks, in use or free, that are reserved for one owner. A recorded step needs them, because every replay writes into the memory of the recorded run.
/// The blocks count as in use as long as the reserve exists.
/// </summary>
/// <remarks>
/// Kernels of a recorded step run at the same time unless one writes what another uses. If a block is freed and taken again, two unrelated kernels
/// become such a pair. So of each size the block that was freed first is taken first, and only after a number of other blocks were freed after it.
/// </remarks>
sealed class BlockReserve
{
    // Of each size at most 64 blocks rest, at most 16 MiB together. Blocks that are allocated only so that others may rest take at most 64 MiB in all.
    const int MostResting = 64;
    const long MostRestingBytes = 16L << 20, MostSpareBytes = 64L << 20;

    readonly Dictionary<long, Queue<DeviceMemory>> free = [];
    long spareBytes;

    /// <summary>All blocks.</summary>
    public List<DeviceMemory> Blocks { get; } = [];

    /// <summary>A free block; null if there is none, or if all free blocks must still rest.</summary>
    public DeviceMemory? TryTake(long size)
    {
        if (!free.TryGetValue(size, out var blocks) || blocks.Count == 0) return null;
        if (blocks.Count > MostResting || blocks.Count * size > MostRestingBytes || spareBytes + size > MostSpareBytes) return blocks.Dequeue();
        spareBytes += size;
        return null;
    }

    /// <summary>A free block, even one that rests or is larger, for the case that there is no other memory.</summary>
    public DeviceMemory? TryTakeResting(long size) =>
        free.Where(blocks => blocks.Key >= size && blocks.Value.Count > 0).OrderBy(blocks => blocks.Key).Select(blocks => blocks.Value.Dequeue()).FirstOrDefault();

    public void Put(DeviceMemory block)
    {
        if (!free.TryGetValue(block.Bytes, out var blocks)) free[block.Bytes] = blocks = [];
        blocks.Enqueue(block);
    }

    /// <summary>Takes all free blocks out of the reserve.</summary>
    public IReadOnlyList<DeviceMemory> TakeAll()
    {
        DeviceMemory[] all = [.. free.Values.SelectMany(blocks => blocks)];
        free.Clear();
        return all;
    }
}
