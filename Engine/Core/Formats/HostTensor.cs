namespace QuadEngine;

/// <summary>
/// The data of a tensor in host memory, float32 and row-major. The file formats read and write this type.
/// Files keep PyTorch's layouts (filters [Cout, Cin, kH, kW], linear weights [out, in]).
/// </summary>
public sealed class HostTensor
{
    /// <summary>The most axes a tensor in a file may have.</summary>
    internal const int MaxRank = 64;

    /// <summary>Wraps an array as a tensor of the given shape.</summary>
    /// <param name="values">The elements, row-major; not copied.</param>
    /// <param name="shape">The size of each of at most 64 axes; empty for a scalar. Not copied either.</param>
    /// <exception cref="ArgumentException">The shape has more than 64 axes or a negative size, or its number of elements is not the number of values.</exception>
    public HostTensor(float[] values, params int[] shape)
    {
        ArgumentNullException.ThrowIfNull(values);
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Length > MaxRank)
            throw new ArgumentException($"HostTensor: the shape has {shape.Length} axes, expected at most {MaxRank}. Merge some of them.", nameof(shape));
        if (!TryCount(Array.ConvertAll(shape, d => (long)d), out var count) || count != values.Length)
            throw new ArgumentException(
                $"HostTensor: shape {Text(shape)} does not describe {values.Length} values. Pass a shape whose sizes multiply to that.", nameof(shape));
        Values = values;
        Shape = shape;
    }

    /// <summary>The elements, row-major.</summary>
    public float[] Values { get; }

    /// <summary>The size of each axis; empty for a scalar.</summary>
    public int[] Shape { get; }

    /// <summary>The shape, e.g. <c>[16, 3, 3, 3]</c>.</summary>
    public override string ToString() => Text(Shape);

    internal static string Text<T>(IEnumerable<T> shape) => $"[{string.Join(", ", shape)}]";

    /// <summary>Multiplies sizes that came from a file; false if one is negative, or if the product is too large for a .NET array.</summary>
    internal static bool TryCount(ReadOnlySpan<long> shape, out int count)
    {
        count = 0;
        var product = 1L;
        foreach (var size in shape)
        {
            if (size < 0 || size > Array.MaxLength || (product *= size) > Array.MaxLength)
                return false;
        }
        count = (int)product;
        return true;
    }
}
