namespace QuadEngine.Devices;

/// <summary>
/// The memory that one operation of a recorded step uses. An operation is one call of a method of <see cref="Kernels"/>, which may make several launches. Kernels reach memory
/// only through operands. Every operand that is made while the operation is the innermost one is recorded, including scratch memory, so none can be forgotten.
/// </summary>
public sealed class RecordedOperation
{
    readonly List<MemoryUse> uses = [];

    internal RecordedOperation()
    {
    }

    /// <summary>The memory that is used; complete after the operation has ended.</summary>
    public IReadOnlyList<MemoryUse> Memory => uses;

    internal void Uses(MemoryUse use) => uses.Add(use);
}

/// <summary>A range of memory that is read or written.</summary>
/// <param name="Block">The block that contains the range.</param>
/// <param name="Start">The first byte of the range within the block.</param>
/// <param name="End">The byte after the last byte of the range.</param>
/// <param name="Writes">Whether the range is written; it may be read too.</param>
public readonly record struct MemoryUse(DeviceMemory Block, long Start, long End, bool Writes);
