namespace QuadEngine;

public partial class Tensor
{
    /// <summary>The sum over the given axes.</summary>
    /// <param name="axes">The axes to add up along; negative ones count from the end. Null or an empty list means all axes.</param>
    /// <param name="keepDims">Whether these axes stay, with extent 1; otherwise they disappear.</param>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public Tensor Sum(int[]? axes = null, bool keepDims = false)
    {
        var plan = new ReductionPlan(Shape, axes, nameof(Sum));
        var y = plan.Reduce<SumOp>(this);
        var shape = Shape;
        y.WithBackward(nameof(Sum), [this], [], (dy, _) => [dy.Expand(shape)]);
        return keepDims ? y : y.Reshape(plan.Squeezed);
    }

    /// <summary>The sum along one axis.</summary>
    /// <param name="axis">The axis; a negative one counts from the end: -1 is the innermost.</param>
    /// <param name="keepDims">Whether the axis stays, with extent 1; otherwise it disappears.</param>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public Tensor Sum(int axis, bool keepDims = false) => Sum([axis], keepDims);

    /// <summary>The mean over the given axes.</summary>
    /// <inheritdoc cref="Sum(int[], bool)"/>
    /// <exception cref="ArgumentException">There is no such axis, or the mean is over no elements.</exception>
    public Tensor Mean(int[]? axes = null, bool keepDims = false)
    {
        var count = new ReductionPlan(Shape, axes, nameof(Mean)).Count;
        Check.That(count > 0, nameof(Mean), $"shape {Shape} has no elements to take the mean of; expected 1 or more. Skip empty batches, or use Sum(), which is 0.");
        return Sum(axes, keepDims) / count;
    }

    /// <summary>The mean along one axis.</summary>
    /// <inheritdoc cref="Sum(int, bool)"/>
    /// <exception cref="ArgumentException">There is no such axis, or the mean is over no elements.</exception>
    public Tensor Mean(int axis, bool keepDims = false) => Mean([axis], keepDims);

    /// <summary>The biased variance over the given axes: the mean of (x - mean)^2.</summary>
    /// <inheritdoc cref="Mean(int[], bool)"/>
    /// <remarks>It is computed from the deviations d = x - m, where m is the mean rounded to float32: mean d^2 - (mean d)^2. The second term removes the effect of that rounding.</remarks>
    public Tensor Variance(int[]? axes = null, bool keepDims = false)
    {
        var deviations = this - Mean(axes, keepDims: true).Detach();
        return deviations.Square().Mean(axes, keepDims) - deviations.Mean(axes, keepDims).Square();
    }

    /// <summary>The biased variance along one axis: the mean of (x - mean)^2.</summary>
    /// <inheritdoc cref="Mean(int, bool)"/>
    public Tensor Variance(int axis, bool keepDims = false) => Variance([axis], keepDims);

    /// <summary>The largest element over the given axes. Equal largest elements share the gradient.</summary>
    /// <inheritdoc cref="Sum(int[], bool)"/>
    /// <exception cref="ArgumentException">There is no such axis, or there are no elements to choose from.</exception>
    public Tensor Max(int[]? axes = null, bool keepDims = false) => Extreme<MaxOp>(axes, keepDims);

    /// <summary>The largest element along one axis. Equal largest elements share the gradient.</summary>
    /// <inheritdoc cref="Sum(int, bool)"/>
    /// <exception cref="ArgumentException">There is no such axis, or there are no elements to choose from.</exception>
    public Tensor Max(int axis, bool keepDims = false) => Extreme<MaxOp>([axis], keepDims);

    /// <summary>The smallest element over the given axes. Equal smallest elements share the gradient.</summary>
    /// <inheritdoc cref="Sum(int[], bool)"/>
    /// <exception cref="ArgumentException">There is no such axis, or there are no elements to choose from.</exception>
    public Tensor Min(int[]? axes = null, bool keepDims = false) => Extreme<MinOp>(axes, keepDims);

    /// <summary>The smallest element along one axis. Equal smallest elements share the gradient.</summary>
    /// <inheritdoc cref="Sum(int, bool)"/>
    /// <exception cref="ArgumentException">There is no such axis, or there are no elements to choose from.</exception>
    public Tensor Min(int axis, bool keepDims = false) => Extreme<MinOp>([axis], keepDims);

    /// <summary>The first index along an axis (which disappears) at which the element is largest; NaN counts as largest.</summary>
    /// <param name="axis">The axis; a negative one counts from the end: -1 is the innermost.</param>
    /// <exception cref="ArgumentException">There is no such axis, or it is empty.</exception>
    public IntTensor ArgMax(int axis = -1) => ArgMax(axis, nameof(ArgMax));

    IntTensor ArgMax(int axis, string operation)
    {
        axis = Shape.Axis(axis, operation);
        Check.That(Shape[axis] > 0, operation, $"axis {axis} of shape {Shape} is empty.");
        var extents = Shape.AsSpan();
        var outer = Shape.Create(extents[..axis]).Elements;
        var inner = Shape.Create(extents[(axis + 1)..]).Elements;
        var y = IntTensor.Empty([.. extents[..axis], .. extents[(axis + 1)..]], Device);
        Device.Backend.ArgMax(this, outer, Shape[axis], inner, y);
        return y;
    }

    /// <summary>The first index along an axis (which disappears) at which the element is smallest; NaN counts as smallest.</summary>
    /// <inheritdoc cref="ArgMax(int)"/>
    public IntTensor ArgMin(int axis = -1)
    {
        using var negative = Like(this);
        Device.Backend.Unary<NegateOp>(this, negative);
        return negative.ArgMax(axis, nameof(ArgMin));
    }

    /// <summary>Whether no element is NaN or infinite.</summary>
    public bool IsFinite()
    {
        // 0 x is 0 for every finite x and NaN otherwise. This calls the kernels and no operation, because NonFiniteGuard checks operations with it.
        using var zeros = Empty(Shape, Device);
        Device.Backend.BinaryScalar<MultiplyOp>(this, 0f, zeros);
        using var sum = new ReductionPlan(Shape, null, nameof(IsFinite)).Reduce<SumOp>(zeros);
        return sum.Item() == 0f;
    }

    Tensor Extreme<TOp>(int[]? axes, bool keepDims) where TOp : struct, IReduction<TOp>
    {
        var plan = new ReductionPlan(Shape, axes, TOp.Name);
        Check.That(plan.Count > 0, TOp.Name, $"shape {Shape} has no elements to choose from.");
        var y = plan.Reduce<TOp>(this);
        y.WithBackward(TOp.Name, [this], [this, y], (dy, saved) =>
        {
            var (x, extreme) = saved;
            var chosen = Elementwise.Apply<IsExtremeOp>(x, extreme);
            return [chosen * (dy / chosen.Sum(axes, keepDims: true))];
        });
        return keepDims ? y : y.Reshape(plan.Squeezed);
    }
}

/// <summary>The axes that a reduction folds. It folds adjacent axes in one pass over [outer, n, inner], and other axes group by group.</summary>
readonly struct ReductionPlan
{
    readonly bool[] folded;
    readonly Shape shape;

    public ReductionPlan(Shape shape, int[]? axes, string operation)
    {
        this.shape = shape;
        folded = new bool[shape.Rank];
        if (axes is null or []) Array.Fill(folded, true);
        else
            foreach (var axis in axes) folded[shape.Axis(axis, operation)] = true;
    }

    /// <summary>The number of elements folded into one.</summary>
    public int Count
    {
        get
        {
            var count = 1;
            for (var axis = 0; axis < folded.Length; axis++) count *= folded[axis] ? shape[axis] : 1;
            return count;
        }
    }

    /// <summary>The shape of the result without the folded axes.</summary>
    public Shape Squeezed
    {
        get
        {
            var flags = folded;
            return shape.Where((_, axis) => !flags[axis]).ToArray();
        }
    }

    /// <summary>Returns the result, in which the folded axes have extent 1.</summary>
    public Tensor Reduce<TOp>(Tensor x) where TOp : struct, IReduction<TOp>
    {
        var extents = shape.ToArray();
        var y = x.Detach();
        for (var last = folded.Length - 1; last >= 0; last--)
        {
            if (!folded[last]) continue;
            var first = last;
            while (first > 0 && folded[first - 1]) first--;
            var outer = Shape.Create(extents.AsSpan(0, first)).Elements;
            var n = Shape.Create(extents.AsSpan(first, last - first + 1)).Elements;
            var inner = Shape.Create(extents.AsSpan(last + 1)).Elements;
            extents.AsSpan(first, last - first + 1).Fill(1);
            var partial = Tensor.Empty(extents, x.Device);
            x.Device.Backend.Reduce<TOp>(y, outer, n, inner, partial);
            y.Dispose();
            y = partial;
            last = first;
        }

        return y;
    }
}
