namespace QuadEngine.Gpu;

/// <summary>What an edge between two kernels of a graph says.</summary>
public enum GraphEdges
{
    /// <summary>Launches are one chain, in the order in which they were made.</summary>
    Chain,

    /// <summary>A kernel starts when those that it depends on have ended.</summary>
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

/// <summary>The graph of a recorded step.</summary>
/// <param name="Nodes">Kernels and copies.</param>
/// <param name="Edges">How many pairs there are of a node and one right behind it.</param>
/// <param name="LongestChain">The most nodes that run one after the other, however many could run at once.</param>
/// <param name="Kind">What the edges between kernels say.</param>
/// <param name="Refusal">Why they say no more; null where they are programmatic.</param>
public sealed record GraphForm(int Nodes, int Edges, int LongestChain, GraphEdges Kind, string? Refusal)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Nodes} nodes, {Edges} edges, {LongestChain} in a row, {Kind}{(Refusal is null ? "" : $" ({Refusal})")}";
}
