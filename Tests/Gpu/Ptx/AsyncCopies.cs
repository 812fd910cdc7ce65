namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>
/// Copies to shared memory that threads of a warp have started (cp.async). They arrive only when a thread waits for them, which is the latest time that the
/// instruction set allows.
/// </summary>
sealed class AsyncCopies
{
    readonly List<Copy> underWay = [];
    readonly int[] committed = new int[Warp.Size];

    public void Clear()
    {
        underWay.Clear();
        Array.Clear(committed);
    }

    /// <summary>Adds a copy to the batch that the lane will commit next.</summary>
    public void Add(int lane, ulong target, uint value) => underWay.Add(new Copy(lane, committed[lane], target, value));

    public void Commit(int lane) => committed[lane]++;

    /// <summary>Lets all batches arrive, except the last few.</summary>
    public void Wait(Warp warp, uint lanes, int butLast) => Arrive(warp, copy => (lanes >> copy.Lane & 1) != 0 && copy.Batch < committed[copy.Lane] - butLast);

    /// <summary>Lets all copies arrive, committed or not.</summary>
    public void WaitForAll(Warp warp, uint lanes) => Arrive(warp, copy => (lanes >> copy.Lane & 1) != 0);

    void Arrive(Warp warp, Predicate<Copy> has)
    {
        foreach (var copy in underWay)
            if (has(copy)) warp.Block.Shared.EndCopy(warp, copy.Lane, copy.Target, copy.Value);
        underWay.RemoveAll(has);
    }

    readonly record struct Copy(int Lane, int Batch, ulong Target, uint Value);
}
