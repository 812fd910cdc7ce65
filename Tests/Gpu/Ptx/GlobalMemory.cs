namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>What is allocated on the device: every access must lie in one live allocation.</summary>
/// <param name="starts">In ascending order.</param>
/// <param name="ends">The byte after the last of each.</param>
sealed class GlobalMemory(ulong[] starts, ulong[] ends)
{
    public static readonly GlobalMemory None = new([], []);

    /// <summary>The allocation that holds an address; an empty one where there is none.</summary>
    public Extent Find(ulong address)
    {
        var at = Array.BinarySearch(starts, address);
        if (at < 0) at = ~at - 1;
        return at >= 0 && address < ends[at] ? new Extent(starts[at], ends[at]) : default;
    }

    /// <summary>An address in words.</summary>
    public string Describe(ulong address)
    {
        var at = Array.BinarySearch(starts, address);
        if (at < 0) at = ~at - 1;
        if (at < 0) return $"address 0x{address:x} lies before all memory";
        return address < ends[at]
            ? $"address 0x{address:x} is byte {address - starts[at]} of an allocation of {ends[at] - starts[at]}"
            : $"address 0x{address:x} lies {address - ends[at]} bytes behind the end of the nearest allocation, of {ends[at] - starts[at]} bytes";
    }
}

/// <summary>An allocation.</summary>
readonly record struct Extent(ulong Start, ulong End)
{
    public bool Holds(ulong address, int bytes) => address >= Start && address + (ulong)bytes <= End;
}
