namespace QuadEngine.Gpu;

/// <summary>Two offsets.</summary>
readonly struct Offsets(int a, int b)
{
    public readonly int A = a, B = b;
}

/// <summary>
/// The offsets of element i of a shape in two operands, each with its own strides (0 repeats). Adjacent axes that are contiguous in both operands
/// are merged first, so that few divisions remain.
/// </summary>
readonly struct Strides
{
    const int MaxRank = 6;

    // Innermost first; the outermost axis needs no division.
    readonly FastDivisor extent0, extent1, extent2, extent3, extent4;
    readonly int a0, a1, a2, a3, a4, a5, b0, b1, b2, b3, b4, b5, rank;

    /// <exception cref="NotSupportedException">More than 6 axes remain after merging.</exception>
    public Strides(Shape shape, ReadOnlySpan<int> a, ReadOnlySpan<int> b, string operation)
    {
        List<(int Extent, int A, int B)> axes = [];
        for (var axis = shape.Rank - 1; axis >= 0; axis--)
        {
            if (shape[axis] == 1) continue;
            if (axes.Count > 0 && axes[^1] is var inner && a[axis] == inner.A * inner.Extent && b[axis] == inner.B * inner.Extent)
                axes[^1] = (inner.Extent * shape[axis], inner.A, inner.B);
            else axes.Add((shape[axis], a[axis], b[axis]));
        }

        if (axes.Count > MaxRank)
            throw new NotSupportedException($"{operation}: shape {shape} has more than {MaxRank} axes that do not merge; reshape, or make the tensor contiguous in steps.");
        rank = axes.Count;
        while (axes.Count < MaxRank) axes.Add((1, 0, 0));
        (extent0, extent1, extent2, extent3, extent4) = (new(axes[0].Extent), new(axes[1].Extent), new(axes[2].Extent), new(axes[3].Extent), new(axes[4].Extent));
        (a0, a1, a2, a3, a4, a5) = (axes[0].A, axes[1].A, axes[2].A, axes[3].A, axes[4].A, axes[5].A);
        (b0, b1, b2, b3, b4, b5) = (axes[0].B, axes[1].B, axes[2].B, axes[3].B, axes[4].B, axes[5].B);
    }

    public Offsets Of(int i)
    {
        if (rank <= 1) return new Offsets(i * a0, i * b0);
        int next = extent0.Divide(i), at = i - next * extent0.Divisor;
        int a = at * a0, b = at * b0;
        if (rank == 2) return new Offsets(a + next * a1, b + next * b1);

        (i, next) = (next, extent1.Divide(next));
        at = i - next * extent1.Divisor;
        a += at * a1;
        b += at * b1;
        if (rank == 3) return new Offsets(a + next * a2, b + next * b2);

        (i, next) = (next, extent2.Divide(next));
        at = i - next * extent2.Divisor;
        a += at * a2;
        b += at * b2;
        if (rank == 4) return new Offsets(a + next * a3, b + next * b3);

        (i, next) = (next, extent3.Divide(next));
        at = i - next * extent3.Divisor;
        a += at * a3;
        b += at * b3;
        if (rank == 5) return new Offsets(a + next * a4, b + next * b4);

        (i, next) = (next, extent4.Divide(next));
        at = i - next * extent4.Divisor;
        return new Offsets(a + at * a4 + next * a5, b + at * b4 + next * b5);
    }
}
