using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// The order of the launches of a recorded step. A launch comes after another only if one writes memory that the other uses. A launch that belongs to no
/// operation, or to an operation without known writes, is a barrier: it comes after all launches before it, and all later launches come after it.
/// </summary>
sealed class LaunchGraph
{
    readonly int[][] before;

    LaunchGraph(int[][] before) => this.before = before;

    public int Launches => before.Length;

    /// <summary>The number of pairs of a launch and a direct predecessor.</summary>
    public int Edges => before.Sum(launches => launches.Length);

    /// <summary>The length of the longest chain of launches that must run one after the other.</summary>
    public int LongestChain
    {
        get
        {
            var depths = new int[before.Length];
            for (var i = 0; i < before.Length; i++) depths[i] = 1 + before[i].Select(earlier => depths[earlier]).DefaultIfEmpty().Max();
            return depths.DefaultIfEmpty().Max();
        }
    }

    /// <summary>The direct predecessors of a launch. Predecessors of these are left out, because they follow.</summary>
    public IReadOnlyList<int> Before(int launch) => before[launch];

    /// <summary>A chain: each launch comes after the one before it.</summary>
    public static LaunchGraph Chain(int launches) => new([.. Enumerable.Range(0, launches).Select(i => i == 0 ? (int[])[] : [i - 1])]);

    /// <summary>The graph of launches that were made in this order, each with its operation.</summary>
    public static LaunchGraph Of(IReadOnlyList<RecordedOperation?> launches)
    {
        var before = new int[launches.Count][];
        var all = new Ancestors[launches.Count];
        var history = new MemoryHistory();
        var barrier = -1;
        for (var i = 0; i < before.Length; i++)
        {
            MemoryUse[] uses = [.. launches[i]?.Memory.Where(use => use.Start < use.End) ?? []];
            var candidates = new SortedSet<int>();
            if (!uses.Any(use => use.Writes))
            {
                for (var earlier = Math.Max(barrier, 0); earlier < i; earlier++) candidates.Add(earlier);
                history.Clear();
                barrier = i;
            }
            else
            {
                if (barrier >= 0) candidates.Add(barrier);
                foreach (var use in uses) history.Conflicts(use, candidates);
                foreach (var use in uses) history.Add(use, i);
            }

            (before[i], all[i]) = Direct(candidates, all, before.Length);
        }

        return new LaunchGraph(before);
    }

    // Goes from the last candidate to the first, and leaves out the predecessors of later candidates.
    static (int[] Launches, Ancestors All) Direct(SortedSet<int> candidates, Ancestors[] ancestors, int count)
    {
        var (direct, all) = (new List<int>(), new Ancestors(count));
        foreach (var candidate in candidates.Reverse())
        {
            if (all.Has(candidate)) continue;
            direct.Insert(0, candidate);
            all.Add(candidate, ancestors[candidate]);
        }

        return ([.. direct], all);
    }

    /// <summary>Records which launch has used which memory since it was last overwritten.</summary>
    sealed class MemoryHistory
    {
        readonly Dictionary<DeviceMemory, List<(MemoryUse Use, int Launch)>> blocks = [];

        public void Clear() => blocks.Clear();

        public void Conflicts(MemoryUse use, SortedSet<int> launches)
        {
            if (!blocks.TryGetValue(use.Block, out var earlier)) return;
            foreach (var (other, launch) in earlier)
                if ((use.Writes || other.Writes) && use.Start < other.End && other.Start < use.End) launches.Add(launch);
        }

        // Earlier uses that a write covers are dropped: a launch that conflicts with them also conflicts with the write, which comes after them.
        public void Add(MemoryUse use, int launch)
        {
            if (!blocks.TryGetValue(use.Block, out var uses)) blocks[use.Block] = uses = [];
            if (use.Writes) uses.RemoveAll(other => other.Launch != launch && use.Start <= other.Use.Start && other.Use.End <= use.End);
            uses.Add((use, launch));
        }
    }

    /// <summary>A set of launches, one bit per launch.</summary>
    readonly struct Ancestors(int count)
    {
        readonly ulong[] bits = new ulong[(count + 63) / 64];

        public bool Has(int launch) => (bits[launch / 64] >> launch % 64 & 1) != 0;

        public void Add(int launch, Ancestors before)
        {
            bits[launch / 64] |= 1ul << launch % 64;
            for (var i = 0; i < bits.Length; i++) bits[i] |= before.bits[i];
        }
    }
}
