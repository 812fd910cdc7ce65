namespace QuadEngine;

/// <summary>What the header of a safetensors file says about one tensor.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">How its elements are stored.</param>
/// <param name="Shape">The size of each axis; empty for a scalar.</param>
/// <param name="Start">Where its bytes start, counted from the end of the header.</param>
/// <param name="End">Where they end (exclusive), counted likewise.</param>
public sealed record SafeTensorsEntry(string Name, ElementType Type, int[] Shape, long Start, long End)
{
    /// <summary>The number of elements.</summary>
    public int Count => Shape.Aggregate(1, (n, size) => n * size);
}
