namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// The memory of the device, which is memory of the host. Every access must be inside one live allocation. For each word the last thread of a launch that
/// wrote it and the last that read it are known, so that threads which should wait for each other, but do not, are found. Threads of a block wait at a barrier. A block may
/// read the writes of another block after it has counted that block by an atomic operation, if both blocks have executed a fence (membar).
/// </summary>
sealed class GlobalMemory
{
    const int MostLaunches = 1 << 20;

    Allocation[] allocations = [];
    int launch;

    /// <summary>Sets the allocations that are live when a launch begins.</summary>
    /// <param name="starts">The first byte of each allocation, in ascending order.</param>
    /// <param name="ends">The byte after the last byte of each allocation.</param>
    public void BeginLaunch(ulong[] starts, ulong[] ends)
    {
        // Data about earlier launches are dropped before their numbers are used again.
        if (++launch == MostLaunches) (allocations, launch) = ([], 1);
        var before = allocations;
        allocations = [.. starts.Zip(ends, (start, end) => Find(before, start) is { } known && known.Start == start && known.End == end ? known : new Allocation(start, end))];
    }

    public unsafe uint Read(Warp warp, int lane, ulong address)
    {
        NoteReader(warp, lane, address, sizeof(uint));
        return *(uint*)address;
    }

    /// <summary>Reads a number of one or two bytes.</summary>
    public unsafe uint ReadSmall(Warp warp, int lane, ulong address, int bytes)
    {
        NoteReader(warp, lane, address, bytes);
        return bytes == 1 ? *(byte*)address : *(ushort*)address;
    }

    /// <summary>Writes a word. If a thread writes the value that is there already, the order of this and other accesses does not matter.</summary>
    public unsafe void Write(Warp warp, int lane, ulong address, uint value)
    {
        ref var word = ref WordAt(warp, lane, address, sizeof(uint), out var allocation);
        if (*(uint*)address == value) return;
        var own = Stamp(warp, lane);
        if (InConflict(warp, word.Writer, own)) throw warp.Fault(lane, $"{allocation.Describe(address)}, which {Name(warp, word.Writer)} writes too in the same launch, and nothing makes it wait");
        if (InConflict(warp, word.Reader, own)) throw warp.Fault(lane, $"{allocation.Describe(address)}, which {Name(warp, word.Reader)} reads in the same launch, and nothing makes it wait");
        word.Writer = own;
        *(uint*)address = value;
        warp.Unfenced |= 1u << lane;
    }

    /// <summary>Returns a word for an atomic operation, by which blocks count each other.</summary>
    public unsafe uint* Count(Warp warp, int lane, ulong address)
    {
        WordAt(warp, lane, address, sizeof(uint), out _);
        warp.Block.Count(warp, lane);
        return (uint*)address;
    }

    void NoteReader(Warp warp, int lane, ulong address, int bytes)
    {
        ref var word = ref WordAt(warp, lane, address, bytes, out var allocation);
        var own = Stamp(warp, lane);
        if (InConflict(warp, word.Writer, own) && (warp.Acquired >> lane & 1) == 0) throw warp.Fault(lane, $"{allocation.Describe(address)}, which {Name(warp, word.Writer)} writes in the same launch, and nothing makes it wait");
        word.Reader = word.Reader >> 32 == own >> 32 && (uint)word.Reader != (uint)own ? own | uint.MaxValue : own;
    }

    ref Access WordAt(Warp warp, int lane, ulong address, int bytes, out Allocation allocation)
    {
        if ((warp.Waited >> lane & 1) == 0) throw warp.Fault(lane, "global memory before griddepcontrol.wait: the previous kernels may not have ended");
        if (warp.LastAllocation is not { } last || !last.Holds(address, bytes))
        {
            var found = Find(allocations, address);
            if (found?.Holds(address, bytes) != true) throw warp.Fault(lane, $"{bytes} bytes of global memory: {(found is null ? $"address 0x{address:x} is before all memory" : found.Describe(address))}");
            warp.LastAllocation = last = found;
        }

        allocation = last;
        return ref last.Words[(address - last.Start) / 4];
    }

    // The launch, the barriers that the block has passed, and the thread's number in the grid.
    ulong Stamp(Warp warp, int lane) => (ulong)launch << 44 | (ulong)(warp.Block.Barriers & 0xfff) << 32 | warp.NumberInGrid(lane);

    // Whether another thread of this launch has accessed the word: a thread of another block, or one of this block since the last barrier.
    bool InConflict(Warp warp, ulong other, ulong own)
    {
        if (other >> 44 != (ulong)launch || (uint)other == (uint)own) return false;
        return (uint)other == uint.MaxValue || warp.Block.NumberOf((uint)other) != warp.Block.NumberOf((uint)own) || other >> 32 == own >> 32;
    }

    static string Name(Warp warp, ulong stamp) => (uint)stamp == uint.MaxValue ? "more than one other thread" : $"thread {(uint)stamp % warp.Block.Launch.Threads.Count} of block {warp.Block.NumberOf((uint)stamp)}";

    static Allocation? Find(Allocation[] allocations, ulong address)
    {
        int low = 0, high = allocations.Length;
        while (low < high)
        {
            var middle = (low + high) / 2;
            if (allocations[middle].Start <= address) low = middle + 1;
            else high = middle;
        }

        return low == 0 ? null : allocations[low - 1];
    }
}

/// <summary>A block of memory, with the last accesses to its words.</summary>
sealed class Allocation(ulong start, ulong end)
{
    public ulong Start => start;

    public ulong End => end;

    public Access[] Words => field ??= new Access[(end - start + 3) / 4];

    public bool Holds(ulong address, int bytes) => address >= start && address + (ulong)bytes <= end;

    public string Describe(ulong address) => address < end
        ? $"address 0x{address:x} is byte {address - start} of an allocation of {end - start}"
        : $"address 0x{address:x} lies {address - end} bytes behind the end of the nearest allocation, of {end - start} bytes";
}

/// <summary>The stamps of the last thread that wrote a word and of the last that read it. If there were several readers, the thread's number is the largest number.</summary>
struct Access
{
    public ulong Writer, Reader;
}
