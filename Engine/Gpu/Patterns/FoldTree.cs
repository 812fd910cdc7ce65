using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>The extents of a <see cref="FoldTree{T}"/>.</summary>
static class FoldTree
{
    /// <summary>
    /// Values that one group folds. A level costs a group a fence, an atomic operation and a read, some 0.7 us one after the other; more levels than two are
    /// rare, and what a group reads in one of them is little.
    /// </summary>
    public const int FanIn = 32;

    /// <summary>Folds of fewer values than all: a counter each.</summary>
    public static int Inner(int leaves)
    {
        var inner = 0;
        for (; leaves > 1; inner += leaves) leaves = Above(leaves);
        return inner;
    }

    /// <summary>The values of the next level.</summary>
    public static int Above(int values) => (values + FanIn - 1) / FanIn;
}

/// <summary>The threads of a group that have a column in common: their numbers differ in some bits that follow each other.</summary>
/// <param name="lane">The thread's number among them.</param>
/// <param name="count">How many they are, a power of two.</param>
/// <param name="lowest">The lowest of the bits.</param>
readonly struct FoldLanes(int lane, int count, int lowest)
{
    public readonly int Lane = lane, Count = count;

    /// <inheritdoc cref="GroupFold.Across{T, TCombine}(T, int, int, ArrayView{T})"/>
    public T Across<T, TCombine>(T value, ArrayView<T> shared) where T : unmanaged where TCombine : struct, ICombine<T> =>
        GroupFold.Across<T, TCombine>(value, lowest, lowest * Count / 2, shared);
}

/// <summary>
/// Folds what groups have left in memory within the launch that left it. The leaves of the tree are the results of the groups; the one that comes last
/// of <see cref="FoldTree.FanIn"/> neighbours folds theirs in their order and goes on with the result as a value of the next level, up to the group that
/// has the fold of all. Which group that is differs from run to run, what it computes does not.
/// </summary>
/// <param name="partials">[leaves and inner values, columns]</param>
/// <param name="arrivals">Counters, <see cref="FoldTree.Inner"/> for each tree.</param>
/// <param name="leaves">Results to be folded for a column.</param>
/// <param name="columns">Folds that are independent of each other; those of a group make up a tree.</param>
readonly struct FoldTree<T>(ArrayView<T> partials, Arrivals arrivals, int leaves, int columns) where T : unmanaged
{
    /// <summary>Leaves the group's value where another launch finds it: [leaves, columns].</summary>
    public void Leave(T value, int leaf, int column, FoldLanes lanes)
    {
        if (lanes.Lane == 0 && column < columns) partials[leaf * columns + column] = value;
    }

    /// <summary>Adds the group's value to the fold. Every thread of the group must come here.</summary>
    /// <param name="value">Of the thread's column, the same for all threads of it; then the fold, where the group has it.</param>
    /// <param name="tree">The number of the tree.</param>
    /// <param name="leaf">The number of the value.</param>
    /// <param name="column">The column of the thread; a thread whose number is <c>columns</c> or more has none.</param>
    /// <param name="lanes">The threads of the column.</param>
    /// <param name="shared">As in <see cref="GroupFold"/>.</param>
    /// <param name="slot">As in <see cref="Arrivals"/>.</param>
    /// <returns>Whether the group has the fold of all.</returns>
    public bool Fold<TCombine>(ref T value, int tree, int leaf, int column, FoldLanes lanes, ArrayView<T> shared, ArrayView<int> slot) where TCombine : struct, ICombine<T>
    {
        int count = leaves, first = 0, at = leaf, counter = tree * FoldTree.Inner(leaves);
        var goesOn = true;
        while (goesOn && count > 1)
        {
            if (lanes.Lane == 0 && column < columns) partials[(first + at) * columns + column] = value;
            int above = at / FoldTree.FanIn, start = above * FoldTree.FanIn, neighbours = Math.Min(FoldTree.FanIn, count - start);
            goesOn = arrivals.IsLast(counter + above, neighbours, slot);
            value = TCombine.Identity;
            for (var i = goesOn && column < columns ? lanes.Lane : neighbours; i < neighbours; i += lanes.Count) value = TCombine.Combine(value, partials[(first + start + i) * columns + column]);
            value = lanes.Across<T, TCombine>(value, shared);
            first += count;
            at = above;
            count = FoldTree.Above(count);
            counter += count;
        }

        return goesOn;
    }
}
