namespace QuadEngine.Tests.Interleaving;

/// <summary>The threads that can take the next step. The thread that took the last step is first if it can continue (Stays); it may have offered its turn (Yields).</summary>
readonly record struct Choice(int[] Threads, bool Stays, bool Yields)
{
    public bool SwitchIsPreemption => Stays && !Yields;
}

/// <summary>Decides which thread continues.</summary>
interface IOrder
{
    /// <summary>Returns an index into the threads of the choice.</summary>
    int Next(Choice choice);
}

/// <summary>
/// All orders with a bounded number of preemptions, depth first (Musuvathi and Qadeer, "Iterative context bounding", PLDI 2007):
/// each run repeats the decisions of the last run up to the deepest one that still has another choice, and takes that choice.
/// </summary>
sealed class DepthFirst(int preemptions) : IOrder
{
    readonly List<Decision> path = [];
    int depth, used;

    public int Next(Choice choice)
    {
        if (depth == path.Count) path.Add(new(choice.Threads, choice.SwitchIsPreemption && used == preemptions ? 1 : choice.Threads.Length));
        var decision = path[depth++];
        if (!decision.Threads.AsSpan().SequenceEqual(choice.Threads))
            throw new InvalidOperationException($"The model is not deterministic: at step {depth} threads {string.Join(", ", choice.Threads)} can go on, and in the run before it were {string.Join(", ", decision.Threads)}. A model must build all that it uses.");
        if (choice.SwitchIsPreemption && decision.Taken > 0) used++;
        return decision.Taken;
    }

    /// <summary>Prepares the next run; returns false if there is none.</summary>
    public bool Advance()
    {
        while (path.Count > 0 && path[^1].Taken + 1 == path[^1].Options) path.RemoveAt(path.Count - 1);
        if (path.Count == 0) return false;
        path[^1].Taken++;
        depth = used = 0;
        return true;
    }

    sealed class Decision(int[] threads, int options)
    {
        public int[] Threads => threads;

        public int Options => options;

        public int Taken { get; set; }
    }
}

/// <summary>
/// Random priorities. The thread with the highest priority continues, and at some random steps it falls to the lowest
/// (Burckhardt et al., "A randomized scheduler with probabilistic guarantees of finding bugs", ASPLOS 2010).
/// </summary>
sealed class RandomPriorities : IOrder
{
    readonly Philox4x32 random;
    readonly HashSet<int> falls = [];
    readonly Dictionary<int, int> priorities = [];
    int step, lowest;

    public RandomPriorities(ulong seed, int changes, int steps)
    {
        random = new(seed);
        while (falls.Count < Math.Min(changes, steps)) falls.Add(random.Below(steps));
    }

    public int Next(Choice choice)
    {
        foreach (var thread in choice.Threads) priorities.TryAdd(thread, 1 + random.Below(1 << 20));
        // A thread in a spinning loop that has just offered its turn must not always come first.
        if (falls.Contains(step++) || choice is { Stays: true, Yields: true }) priorities[choice.Threads[0]] = --lowest;
        return Array.IndexOf(choice.Threads, choice.Threads.MaxBy(thread => priorities[thread]));
    }
}

/// <summary>A recorded order. After its end the running thread continues.</summary>
sealed class Replayed(IReadOnlyList<int> threads) : IOrder
{
    int step;

    public int Next(Choice choice)
    {
        if (step == threads.Count) return 0;
        var index = Array.IndexOf(choice.Threads, threads[step++]);
        return index >= 0 ? index : throw new InvalidOperationException($"The schedule does not fit the model: at step {step} thread {threads[step - 1]} cannot go on, only {string.Join(", ", choice.Threads)}.");
    }
}

/// <summary>Random numbers that depend on the seed alone.</summary>
sealed class Philox4x32(ulong seed)
{
    ulong index;

    public int Below(int limit) => (int)(Philox.At(seed, index++, 0).X % (uint)limit);
}
