namespace QuadEngine.Devices;

/// <summary>
/// Blocks that nobody but their owner gets, in use or free: a recorded step writes into the memory it was recorded with at every replay.
/// They count as in use as long as the reserve lives.
/// </summary>
/// <remarks>
/// Kernels of a recorded step run at once unless one writes what another uses, and a block that is taken again makes such a pair of kernels
/// that have nothing else to do with each other. So of one size the first freed is taken first, and not before a number of others rest behind it.
/// </remarks>
sealed class BlockReserve
{
    // Of one size at most 64 blocks rest, and at most 16 MiB of them. All blocks that are taken only so that others may rest come to at most 64 MiB.
    const int MostResting = 64;
    const long MostRestingBytes = 16L << 20, MostSpareBytes = 64L << 20;

    readonly Dictionary<long, Queue<DeviceMemory>> free = [];
    long spareBytes;

    /// <summary>All blocks.</summary>
    public List<DeviceMemory> Blocks { get; } = [];

    /// <summary>A free block; null where there is none, or those that there are shall rest.</summary>
    public DeviceMemory? TryTake(long size)
    {
        if (!free.TryGetValue(size, out var blocks) || blocks.Count == 0) return null;
        if (blocks.Count > MostResting || blocks.Count * size > MostRestingBytes || spareBytes + size > MostSpareBytes) return blocks.Dequeue();
        spareBytes += size;
        return null;
    }

    /// <summary>A free block, also one that rests or is larger: for when there is no other memory.</summary>
    public DeviceMemory? TryTakeResting(long size) =>
        free.Where(blocks => blocks.Key >= size && blocks.Value.Count > 0).OrderBy(blocks => blocks.Key).Select(blocks => blocks.Value.Dequeue()).FirstOrDefault();

    public void Put(DeviceMemory block)
    {
        if (!free.TryGetValue(block.Bytes, out var blocks)) free[block.Bytes] = blocks = [];
        blocks.Enqueue(block);
    }

    /// <summary>All free blocks, which the reserve forgets.</summary>
    public IReadOnlyList<DeviceMemory> TakeAll()
    {
        DeviceMemory[] all = [.. free.Values.SelectMany(blocks => blocks)];
        free.Clear();
        return all;
    }
}
