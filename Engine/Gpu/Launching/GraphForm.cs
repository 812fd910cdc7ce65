namespace QuadEngine.Gpu;

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
