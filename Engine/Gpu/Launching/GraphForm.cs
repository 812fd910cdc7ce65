namespace QuadEngine.Gpu;

/// <summary>The graph of a recorded step.</summary>
/// <param name="Nodes">Kernels and copies.</param>
/// <param name="Edges">The number of pairs of a node and a direct successor.</param>
/// <param name="LongestChain">The length of the longest chain of nodes that must run one after the other.</param>
/// <param name="Kind">The kind of edges between kernels.</param>
/// <param name="Refusal">The reason why the edges are not programmatic; null if they are.</param>
public sealed record GraphForm(int Nodes, int Edges, int LongestChain, GraphEdges Kind, string? Refusal)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Nodes} nodes, {Edges} edges, {LongestChain} in a row, {Kind}{(Refusal is null ? "" : $" ({Refusal})")}";
}
