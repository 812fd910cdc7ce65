namespace QuadEngine.Devices;

/// <summary>Free blocks by size. Of each size the block that was freed last is taken first.</summary>
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
