using ILGPU;

namespace QuadEngine.Gpu;

/// <summary>The extents of a <see cref="FoldTree{T}"/>.</summary>
static class FoldTree
{
    /// <summary>
    /// The number of values that one group folds. A level costs a group a fence, an atomic operation and a read, about 0.7 us in sequence. More than two levels are
    /// rare, and a group reads little in one level.
    /// </summary>
    public const int FanIn = 32;

    /// <summary>The number of inner folds; each needs a counter.</summary>
    public static int Inner(int leaves)
    {
        var inner = 0;
        for (; leaves > 1; inner += leaves) leaves = Above(leaves);
        return inner;
    }

    /// <summary>The number of values in the next level.</summary>
    public static int Above(int values) => (values + FanIn - 1) / FanIn;
}

/// <summary>The threads of a group that share a column: their numbers differ in some consecutive bits.</summary>
/// <param name="lane">The thread's number among these threads.</param>
/// <param name="count">The number of these threads, a power of two.</param>
/// <param name="lowest">The lowest of the bits.</param>
readonly struct FoldLanes(int lane, int count, int lowest)
{
    public readonly int Lane = lane, Count = count;

    /// <inheritdoc cref="GroupFold.Across{T, TCombine}(T, int, int, ArrayView{T})"/>
    public T Across<T, TCombine>(T value, ArrayView<T> shared) where T : unmanaged where TCombine : struct, ICombine<T> =>
        GroupFold.Across<T, TCombine>(value, lowest, lowest * Count / 2, shared);
}

/// <summary>
/// Folds the results that groups leave in memory, inside the same launch. The leaves of the tree are the results of the groups. The last group
/// of <see cref="FoldTree.FanIn"/> neighbors folds their results in order and continues with the result as a value of the next level, up to the group that
/// has the fold of all. This may be a different group in each run, but the result is the same.
/// </summary>
/// <param name="partials">[leaves and inner values, columns]</param>
/// <param name="arrivals">Counters, <see cref="FoldTree.Inner"/> for each tree.</param>
/// <param name="leaves">The number of results to fold for each column.</param>
/// <param name="columns">The number of independent folds; the folds of one group form a tree.</param>
readonly struct FoldTree<T>(ArrayView<T> partials, Arrivals arrivals, int leaves, int columns) where T : unmanaged
{
    /// <summary>Stores the group's value for another launch, in [leaves, columns].</summary>
    public void Leave(T value, int leaf, int column, FoldLanes lanes)
    {
        if (lanes.Lane == 0 && column < columns) partials[leaf * columns + column] = value;
    }

    /// <summary>Adds the group's value to the fold. Every thread of the group must call this.</summary>
    /// <param name="value">The value of the thread's column, the same for all threads of the column. On return it is the fold, if the group has it.</param>
    /// <param name="tree">The number of the tree.</param>
    /// <param name="leaf">The number of the value.</param>
    /// <param name="column">The column of the thread; a thread whose number is <c>columns</c> or more has none.</param>
    /// <param name="lanes">The threads of the column.</param>
    /// <param name="shared">As in <see cref="GroupFold"/>.</param>
    /// <param name="slot">As in <see cref="Arrivals"/>.</param>
    /// <returns>Whether the group has the fold of all groups.</returns>
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
