using System.Runtime.InteropServices;

namespace QuadEngine.Gpu;

/// <summary>CUgraphEdgeData: what an edge says besides its ends.</summary>
/// <param name="FromPort">When the first node lets the second one start.</param>
/// <param name="ToPort">0: what the edge holds back is the whole second node.</param>
/// <param name="Type">CUgraphDependencyType.</param>
[StructLayout(LayoutKind.Sequential, Size = 8)]
readonly record struct GraphEdge(byte FromPort, byte ToPort, byte Type)
{
    /// <summary>From the port of a kernel that opens when all its groups have asked for what depends on it.</summary>
    public static readonly GraphEdge Programmatic = new(FromPort: 1, ToPort: 0, Type: 1);
}
