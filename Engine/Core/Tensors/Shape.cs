using System.Collections;
using System.Runtime.CompilerServices;

namespace QuadEngine;

/// <summary>The extents of a tensor, outermost first: an image batch is [N, H, W, C]. Immutable; [] is a scalar.</summary>
[CollectionBuilder(typeof(Shape), nameof(Create))]
public readonly struct Shape : IEquatable<Shape>, IReadOnlyList<int>
{
    readonly int[]? extents;

    /// <summary>A shape of these extents: <c>new Shape(2, 3)</c> is <c>[2, 3]</c>.</summary>
    /// <param name="extents">The extent of each axis, outermost first; copied. No extents make a scalar.</param>
    /// <exception cref="ArgumentException">An extent is negative, or there are more than 2^31 - 1 elements.</exception>
    public Shape(params int[] extents) : this((extents ?? throw new ArgumentNullException(nameof(extents))).AsSpan())
    {
    }

    Shape(ReadOnlySpan<int> extents)
    {
        long length = 1;
        foreach (var extent in extents)
        {
            if (extent < 0) throw new ArgumentException($"Shape: [{string.Join(", ", extents.ToArray())}] has a negative extent ({extent}).");
            length *= extent;
            if (length > int.MaxValue)
                throw new ArgumentException($"Shape: [{string.Join(", ", extents.ToArray())}] has more than 2^31 - 1 elements; split the batch.");
        }

        this.extents = extents.ToArray();
    }

    int[] Extents => extents ?? [];

    /// <summary>The number of axes.</summary>
    public int Rank => Extents.Length;

    /// <summary>The number of axes, under the name that <c>shape[^1]</c> and <c>[.. shape, 3]</c> need.</summary>
    public int Count => Extents.Length;

    /// <summary>The number of elements: the product of the extents, 1 for a scalar.</summary>
    public int Elements => Product(Extents);

    /// <summary>The extent of an axis; <c>shape[^1]</c> is the innermost.</summary>
    /// <param name="axis">The axis, counted from 0, the outermost.</param>
    public int this[int axis] => Extents[axis];

    /// <summary>The innermost extent (channels), 1 for a scalar.</summary>
    public int Channels => Rank == 0 ? 1 : Extents[^1];

    /// <summary>The number of rows of the tensor as a matrix [rows, channels]: the elements divided by the innermost extent.</summary>
    public int Rows => Rank == 0 ? 1 : Product(Extents.AsSpan(0, Rank - 1));

    /// <summary>Builds a shape. Collection expressions such as <c>[2, 3]</c> call this method.</summary>
    /// <param name="extents">The extent of each axis, outermost first; copied. No extents make a scalar.</param>
    /// <exception cref="ArgumentException">An extent is negative, or there are more than 2^31 - 1 elements.</exception>
    public static Shape Create(ReadOnlySpan<int> extents) => new(extents);

    /// <summary>A shape from an array of extents.</summary>
    /// <param name="extents">The extent of each axis, outermost first; copied. No extents make a scalar.</param>
    public static implicit operator Shape(int[] extents) => new(extents);

    /// <summary>The extents as a span.</summary>
    public ReadOnlySpan<int> AsSpan() => Extents;

    /// <summary>The extents as a new array.</summary>
    public int[] ToArray() => [.. Extents];

    /// <summary>The same shape with one extent replaced.</summary>
    /// <param name="axis">The axis, counted from 0, the outermost.</param>
    /// <param name="extent">The new extent, 0 or more.</param>
    public Shape With(int axis, int extent)
    {
        var copy = ToArray();
        copy[axis] = extent;
        return Create(copy);
    }

    /// <summary>Turns an axis that may count from the end (-1 is the last) into one that counts from the start.</summary>
    /// <param name="axis">The axis, from -rank to rank - 1.</param>
    /// <param name="operation">The name of the operation, for the message.</param>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public int Axis(int axis, string operation)
    {
        Check.That(axis >= -Rank && axis < Rank, operation, $"axis {axis} is outside shape {this}, which has {Rank} axes; use {-Rank} to {Rank - 1}.");
        return axis < 0 ? axis + Rank : axis;
    }

    /// <summary>The distance, in elements, of one step along each axis of a contiguous tensor of this shape.</summary>
    public int[] Strides()
    {
        var strides = new int[Rank];
        for (int axis = Rank - 1, step = 1; axis >= 0; step *= Extents[axis--]) strides[axis] = step;
        return strides;
    }

    /// <summary>The shape that two operands broadcast to: aligned at the innermost axis, extents equal or 1.</summary>
    /// <param name="a">The shape of the left operand.</param>
    /// <param name="b">The shape of the right operand.</param>
    /// <param name="operation">The name of the operation, for the message.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast.</exception>
    public static Shape Broadcast(Shape a, Shape b, string operation)
    {
        if (a == b) return a;
        var result = new int[Math.Max(a.Rank, b.Rank)];
        for (var i = 1; i <= result.Length; i++)
        {
            int left = i <= a.Rank ? a.Extents[^i] : 1, right = i <= b.Rank ? b.Extents[^i] : 1;
            Check.That(left == right || left == 1 || right == 1, operation,
                $"shapes {a} and {b} do not broadcast: axis {-i} is {left} on the left and {right} on the right; they must be equal, or one of them 1.");
            result[^i] = left == 1 ? right : left;
        }

        return Create(result);
    }

    static int Product(ReadOnlySpan<int> extents)
    {
        var product = 1;
        foreach (var extent in extents) product *= extent;
        return product;
    }

    /// <inheritdoc/>
    public bool Equals(Shape other) => AsSpan().SequenceEqual(other.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var extent in Extents) hash.Add(extent);
        return hash.ToHashCode();
    }

    /// <summary>Whether the extents are equal.</summary>
    /// <param name="left">A shape; the default value equals [].</param>
    /// <param name="right">The shape to compare with it.</param>
    public static bool operator ==(Shape left, Shape right) => left.Equals(right);

    /// <summary>Whether the extents differ.</summary>
    /// <param name="left">A shape; the default value equals [].</param>
    /// <param name="right">The shape to compare with it.</param>
    public static bool operator !=(Shape left, Shape right) => !left.Equals(right);

    /// <inheritdoc/>
    public IEnumerator<int> GetEnumerator() => ((IEnumerable<int>)Extents).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The extents as text, for messages: [128, 32, 32, 3].</summary>
    public override string ToString() => $"[{string.Join(", ", Extents)}]";
}
