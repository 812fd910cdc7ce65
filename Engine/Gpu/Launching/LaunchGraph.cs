using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// Which launches of a recorded step come after which: one after another only where one writes memory that the other uses. A launch that belongs to no
/// operation, or to one that writes nothing known, is a barrier: it comes after all before it, and all behind it after it.
/// </summary>
sealed class LaunchGraph
{
    readonly int[][] before;

    LaunchGraph(int[][] before) => this.before = before;

    public int Launches => before.Length;

    /// <summary>Pairs of a launch and one right before it.</summary>
    public int Edges => before.Sum(launches => launches.Length);

    /// <summary>The most launches that run one after the other, however many could run at once.</summary>
    public int LongestChain
    {
        get
        {
            var depths = new int[before.Length];
            for (var i = 0; i < before.Length; i++) depths[i] = 1 + before[i].Select(earlier => depths[earlier]).DefaultIfEmpty().Max();
            return depths.DefaultIfEmpty().Max();
        }
    }

    /// <summary>The launches that one comes right after. What those come after is left out: it follows.</summary>
    public IReadOnlyList<int> Before(int launch) => before[launch];

    /// <summary>One launch after the other.</summary>
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

    // From the last to the first: what a later one comes after anyway is left out.
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

    /// <summary>Who has used which memory since it was last overwritten.</summary>
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

        // What a write covers is forgotten: who conflicts with that conflicts with the write, which comes after it.
        public void Add(MemoryUse use, int launch)
        {
            if (!blocks.TryGetValue(use.Block, out var uses)) blocks[use.Block] = uses = [];
            if (use.Writes) uses.RemoveAll(other => other.Launch != launch && use.Start <= other.Use.Start && other.Use.End <= use.End);
            uses.Add((use, launch));
        }
    }

    /// <summary>A set of launches, a bit each.</summary>
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
