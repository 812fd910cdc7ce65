namespace QuadEngine;

/// <summary>One tensor as the header of a safetensors file describes it.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">The type of its stored elements.</param>
/// <param name="Shape">The size of each axis; empty for a scalar.</param>
/// <param name="Start">The position of its first byte, counted from the end of the header.</param>
/// <param name="End">The position after its last byte, counted from the end of the header.</param>
public sealed record SafeTensorsEntry(string Name, ElementType Type, int[] Shape, long Start, long End)
{
    /// <summary>The number of elements.</summary>
    public int Count => Shape.Aggregate(1, (n, size) => n * size);
}
