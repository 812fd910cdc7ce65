using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Tells the group that comes last to go on with what all have left in memory, within their launch: each counts itself at a counter, and whoever finds
/// the others counted is the last. Counters are 0 before a launch and after it.
/// </summary>
/// <param name="counters">On a device, see <see cref="GpuKernels.Arrivals"/>.</param>
readonly struct Arrivals(ArrayView<int> counters)
{
    /// <summary>Those from a counter on; on the host.</summary>
    public Arrivals From(int first) => new(counters.SubView(first, counters.Length - first));

    /// <summary>
    /// Whether the group is the last of those that come to a counter: then its threads see what the threads of all the others have written before they
    /// came. Every thread of the group must come here.
    /// </summary>
    /// <param name="counter">Its number.</param>
    /// <param name="expected">How many groups come to it.</param>
    /// <param name="shared">A word of shared memory that is used for nothing else.</param>
    public bool IsLast(int counter, int expected, ArrayView<int> shared)
    {
        MemoryFence.DeviceLevel();
        Group.Barrier();
        if (Group.IdxX == 0)
        {
            var before = Atomic.Add(ref counters[counter], 1);
            if (before == expected - 1) counters[counter] = 0;
            shared[0] = before;
        }

        Group.Barrier();
        MemoryFence.DeviceLevel();
        return shared[0] == expected - 1;
    }
}
