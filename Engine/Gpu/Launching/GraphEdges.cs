namespace QuadEngine.Gpu;

/// <summary>The kind of edge between two kernels of a graph.</summary>
public enum GraphEdges
{
    /// <summary>Launches are one chain, in the order in which they were made.</summary>
    Chain,

    /// <summary>A kernel starts when the kernels on which it depends have ended.</summary>
    Full,

    /// <summary>
    /// A kernel may start as soon as all groups of those that it depends on have, and waits on the device until these have ended and what they wrote
    /// is seen. Edges from and to copies are full.
    /// </summary>
    /// <remarks>
    /// Every kernel waits before it touches memory. So it sees what the kernels right before it wrote, and also what came before
    /// those, to which it has no edge: they have ended only after they had waited themselves.
    /// </remarks>
    Programmatic,
}
