using System.Text.RegularExpressions;

namespace QuadEngine.Gpu;

/// <summary>What is changed in, and checked of, the PTX that ILGPU writes before a driver sees it.</summary>
static partial class PtxText
{
    /// <summary>
    /// ILGPU marks loop exits <c>bra.uni</c>. ptxas then neither unrolls the loop nor keeps local arrays in registers: an 8x8
    /// register tile would live in memory. A plain <c>bra</c> means the same and is optimised.
    /// </summary>
    public static string Rewrite(string ptx) => ptx.Replace("bra.uni", "bra");

    /// <summary>Names of functions that the text calls and does not define: the driver would refuse to load it.</summary>
    public static IReadOnlyList<string> UnresolvedCalls(string ptx) => [.. Extern().Matches(ptx).Select(match => match.Groups[1].Value)];

    [GeneratedRegex(@"\.extern\s+\.func\s+(?:\([^)]*\)\s*)?(\w+)")]
    private static partial Regex Extern();
}
