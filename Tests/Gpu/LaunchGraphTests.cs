using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>The order of launches depends only on the memory that they use.</summary>
public class LaunchGraphTests
{
    const int BlockBytes = 16;

    [Test]
    public void Launches_are_ordered_where_one_writes_what_the_other_uses_and_nowhere_else()
    {
        for (var seed = 0; seed < 2000; seed++)
        {
            var launches = RandomLaunches(new Random(seed));
            var (ordered, needed) = (Closure(launches.Length, Edges(LaunchGraph.Of(launches))), Closure(launches.Length, Hazards(launches)));
            for (var i = 0; i < launches.Length; i++)
                for (var j = 0; j < launches.Length; j++)
                    if (ordered[i, j] != needed[i, j]) Assert.Fail($"seed {seed}: launch {j} {(ordered[i, j] ? "waits" : "does not wait")} for {i}");
        }
    }

    [Test]
    public void No_edge_follows_from_others()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var launches = RandomLaunches(new Random(seed));
            (int From, int To)[] edges = [.. Edges(LaunchGraph.Of(launches))];
            foreach (var edge in edges)
                Assert.That(Closure(launches.Length, edges.Where(other => other != edge))[edge.From, edge.To], Is.False, $"seed {seed}: {edge} is not needed");
        }
    }

    [Test]
    public void What_is_not_known_is_a_barrier()
    {
        Block a = new(), b = new();
        RecordedOperation first = Using((a, 0, 4, true)), second = Using((b, 0, 4, true)), third = Using((a, 8, 12, true));
        foreach (var unknown in (RecordedOperation?[])[null, Using(), Using((a, 0, 16, false)), Using((a, 4, 4, true))])
        {
            var graph = LaunchGraph.Of([first, second, unknown, third, third]);
            Assert.That(Edges(graph), Is.EquivalentTo(new[] { (0, 2), (1, 2), (2, 3), (3, 4) }));
            Assert.That((graph.Launches, graph.Edges, graph.LongestChain), Is.EqualTo((5, 4, 4)));
        }
    }

    [Test]
    public void Launches_of_one_operation_keep_their_order()
    {
        var operation = Using((new Block(), 0, 4, true), (new Block(), 0, 16, false));
        Assert.That(Edges(LaunchGraph.Of([operation, operation, operation])), Is.EqualTo(new[] { (0, 1), (1, 2) }));
    }

    [Test]
    public void Nothing_is_a_graph() => Assert.That((LaunchGraph.Of([]).Edges, LaunchGraph.Of([]).LongestChain), Is.EqualTo((0, 0)));

    // ---- launches drawn at random

    // Makes up to 70 launches, more than a word has bits, on a few blocks and parts of blocks. Some belong to the same operation, and a few are barriers.
    static RecordedOperation?[] RandomLaunches(Random random)
    {
        Block[] blocks = [.. Enumerable.Range(0, random.Next(1, 6)).Select(_ => new Block())];
        var launches = new RecordedOperation?[random.Next(71)];
        for (var i = 0; i < launches.Length; i++)
            launches[i] = random.Next(12) switch
            {
                0 => null,
                1 when i > 0 => launches[i - 1],
                2 when i > 1 => launches[i - 2],
                _ => Using([.. Enumerable.Range(0, random.Next(4)).Select(_ =>
                {
                    var start = random.Next(BlockBytes + 1);
                    return (blocks[random.Next(blocks.Length)], start, random.Next(start, BlockBytes + 1), random.Next(3) == 0);
                })]),
            };
        return launches;
    }

    static RecordedOperation Using(params (Block Block, int Start, int End, bool Writes)[] uses)
    {
        var operation = new RecordedOperation();
        foreach (var (block, start, end, writes) in uses) operation.Uses(new(block, start, end, writes));
        return operation;
    }

    // ---- the expected graph, byte by byte

    static IEnumerable<(int, int)> Hazards(RecordedOperation?[] launches)
    {
        for (var i = 0; i < launches.Length; i++)
            for (var j = i + 1; j < launches.Length; j++)
                if (IsBarrier(launches[i]) || IsBarrier(launches[j]) || launches[i]!.Memory.Any(a => launches[j]!.Memory.Any(b => Conflict(a, b)))) yield return (i, j);
    }

    static bool IsBarrier(RecordedOperation? operation) => operation is null || !operation.Memory.Any(use => use.Writes && Bytes(use).Any());

    static bool Conflict(MemoryUse a, MemoryUse b) => (a.Writes || b.Writes) && a.Block == b.Block && Bytes(a).Intersect(Bytes(b)).Any();

    static IEnumerable<int> Bytes(MemoryUse use) => Enumerable.Range((int)use.Start, (int)(use.End - use.Start));

    static IEnumerable<(int From, int To)> Edges(LaunchGraph graph) => Enumerable.Range(0, graph.Launches).SelectMany(launch => graph.Before(launch).Select(before => (before, launch)));

    // Edges go from lower to higher numbers.
    static bool[,] Closure(int launches, IEnumerable<(int From, int To)> edges)
    {
        var closure = new bool[launches, launches];
        foreach (var (from, to) in edges.OrderBy(edge => edge.To))
            for (var i = 0; i < launches; i++)
                closure[i, to] |= i == from || closure[i, from];
        return closure;
    }

    sealed class Block : DeviceMemory
    {
        public override long Bytes => BlockBytes;

        public override void Dispose()
        {
        }
    }
}
