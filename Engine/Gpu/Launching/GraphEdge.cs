using System.Runtime.InteropServices;

namespace QuadEngine.Gpu;

/// <summary>CUgraphEdgeData: the properties of an edge, without its two nodes.</summary>
/// <param name="FromPort">The event of the first node after which the second node may start.</param>
/// <param name="ToPort">0: the edge delays the whole second node.</param>
/// <param name="Type">CUgraphDependencyType.</param>
[StructLayout(LayoutKind.Sequential, Size = 8)]
readonly record struct GraphEdge(byte FromPort, byte ToPort, byte Type)
{
    /// <summary>Starts at the port of a kernel that opens when all its groups have called griddepcontrol.launch_dependents.</summary>
    public static readonly GraphEdge Programmatic = new(FromPort: 1, ToPort: 0, Type: 1);
}
