using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>
/// Finds the group that comes last, so that it can continue with the results that all groups have left in memory, inside their launch. Each group adds 1 to a counter, and the group that finds
/// all others counted is the last. Counters are 0 before and after a launch.
/// </summary>
/// <param name="counters">The counters on a device, see <see cref="GpuKernels.Arrivals"/>.</param>
readonly struct Arrivals(ArrayView<int> counters)
{
    /// <summary>The counters from one on; called on the host.</summary>
    public Arrivals From(int first) => new(counters.SubView(first, counters.Length - first));

    /// <summary>
    /// Whether the group is the last one that comes to a counter. Then its threads see everything that the threads of the other groups wrote before they
    /// came. Every thread of the group must call this.
    /// </summary>
    /// <param name="counter">The number of the counter.</param>
    /// <param name="expected">The number of groups that come to the counter.</param>
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
