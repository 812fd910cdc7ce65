namespace QuadEngine.Devices;

/// <summary>
/// The memory that one operation of a recorded step uses: one call of a kernel of the contract, which may be several launches. Kernels reach memory by
/// operands only, and every operand that is made while the operation is the innermost one counts, scratch memory included: none can be forgotten.
/// </summary>
public sealed class RecordedOperation
{
    readonly List<MemoryUse> uses = [];

    internal RecordedOperation()
    {
    }

    /// <summary>Complete when the operation has ended.</summary>
    public IReadOnlyList<MemoryUse> Memory => uses;

    internal void Uses(MemoryUse use) => uses.Add(use);
}

/// <summary>Memory that is read or written.</summary>
/// <param name="Block">The block it lies in.</param>
/// <param name="Start">Its first byte within the block.</param>
/// <param name="End">The byte after its last.</param>
/// <param name="Writes">It is written, and may be read as well.</param>
public readonly record struct MemoryUse(DeviceMemory Block, long Start, long End, bool Writes);
