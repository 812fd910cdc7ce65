using System.Numerics;

namespace QuadEngine.Tests.Gpu.Ptx;

/// <summary>A jump of the participating lanes.</summary>
sealed class Jump(string label) : Instruction
{
    int target, join;

    public override IReadOnlyList<string> Labels => [label];

    public override bool FallsThrough => Guard >= 0;

    public void Resolve(int target, int join) => (this.target, this.join) = (target, join);

    public override void Execute(Warp warp, uint lanes) => warp.Branch(lanes, target, join);
}

/// <summary>A jump to one of several labels, the same for all lanes (.uni).</summary>
sealed class JumpTable(int index, string table) : Instruction
{
    int[] targets = [];
    int join;

    public string Table => table;

    public override IReadOnlyList<string> Labels => Entries;

    public IReadOnlyList<string> Entries { get; set; } = [];

    public override bool FallsThrough => Guard >= 0;

    public void Resolve(int[] targets, int join) => (this.targets, this.join) = (targets, join);

    public override void Execute(Warp warp, uint lanes)
    {
        var first = BitOperations.TrailingZeroCount(lanes);
        var entry = warp.At<uint>(index, first);
        for (var rest = lanes; rest != 0; rest &= rest - 1)
        {
            var lane = BitOperations.TrailingZeroCount(rest);
            if (warp.At<uint>(index, lane) != entry) throw warp.Fault(lane, $"the index is {warp.At<uint>(index, lane)} here and {entry} in lane {first}: .uni says that it is the same for all");
        }

        if (entry >= targets.Length) throw warp.Fault(first, $"index {entry} of {targets.Length} targets");
        warp.Branch(lanes, targets[entry], join);
    }
}

sealed class Return : Instruction
{
    public override bool FallsThrough => Guard >= 0;

    public override void Execute(Warp warp, uint lanes) => warp.Return(lanes);
}

/// <summary>bar.sync: all threads of the block arrive here before any thread continues.</summary>
sealed class Barrier : Instruction
{
    public override void Execute(Warp warp, uint lanes)
    {
        warp.RequireAll(lanes, warp.Present);
        warp.Barrier = this;
    }
}

/// <summary>Finds where different paths meet again: at the immediate post-dominator (Cooper, Harvey and Kennedy 2001, on the reversed graph).</summary>
static class Joins
{
    /// <summary>Returns for each instruction the first later one on every path from it to the end; the number of instructions means the end.</summary>
    /// <param name="next">The possible next instructions of each instruction.</param>
    public static int[] Of(IReadOnlyList<int[]> next)
    {
        int end = next.Count;
        var order = ReversedPostorder(next, end);
        var rank = new int[end + 1];
        for (var i = 0; i < order.Count; i++) rank[order[i]] = i;

        var join = new int[end + 1];
        Array.Fill(join, -1);
        join[end] = end;
        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var at in order.Skip(1))
            {
                var meeting = -1;
                foreach (var to in next[at])
                    if (join[to] >= 0) meeting = meeting < 0 ? to : Meet(meeting, to);
                changed |= join[at] != meeting;
                join[at] = meeting;
            }
        }

        return join;

        int Meet(int a, int b)
        {
            while (a != b)
            {
                while (rank[a] > rank[b]) a = join[a];
                while (rank[b] > rank[a]) b = join[b];
            }

            return a;
        }
    }

    // The order of the graph with reversed edges, from the end.
    static List<int> ReversedPostorder(IReadOnlyList<int[]> next, int end)
    {
        var before = new List<int>[end + 1];
        for (var i = 0; i <= end; i++) before[i] = [];
        for (var i = 0; i < end; i++)
            foreach (var to in next[i]) before[to].Add(i);

        var (seen, order) = (new bool[end + 1], new List<int>());
        var stack = new Stack<(int At, int Child)>([(end, 0)]);
        seen[end] = true;
        while (stack.TryPop(out var top))
        {
            if (top.Child == before[top.At].Count)
            {
                order.Add(top.At);
                continue;
            }

            stack.Push((top.At, top.Child + 1));
            var child = before[top.At][top.Child];
            if (seen[child]) continue;
            seen[child] = true;
            stack.Push((child, 0));
        }

        order.Reverse();
        return order;
    }
}
