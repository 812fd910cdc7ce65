namespace QuadEngine.Gpu;

/// <summary>The kind of edge between two kernels of a graph.</summary>
public enum GraphEdges
{
    /// <summary>Launches are one chain, in the order in which they were made.</summary>
    Chain,

    /// <summary>A kernel starts when the kernels on which it depends have ended.</summary>
    Full,

    /// <summary>
    /// A kernel may start as soon as all groups of the kernels on which it depends have started. It waits on the device until these kernels have ended and their writes
    /// are visible. Edges from and to copies are full.
    /// </summary>
    /// <remarks>
    /// Every kernel waits before it touches memory. So it sees what its direct predecessors wrote. It also sees the writes of earlier kernels,
    /// to which it has no edge, because the predecessors waited for them before they ended.
    /// </remarks>
    Programmatic,
}
