namespace QuadEngine;

/// <summary>Operations that move elements and do not compute. Reshapes and slices of the leading axis are views; the others copy.</summary>
public partial class Tensor
{
    /// <summary>A copy in its own memory: a write to one tensor does not change the other. Gradients pass through; for a snapshot without them, clone the result of Detach().</summary>
    public Tensor Clone()
    {
        var y = Like(this);
        Device.Backend.Copy(this, y);
        return y.WithBackward(nameof(Clone), [this], [], static (dy, _) => [dy]);
    }

    /// <summary>The same elements in another shape, a view.</summary>
    /// <param name="shape">The extents, outermost first; one may be -1 and follows from the rest. No extents make a scalar.</param>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public Tensor Reshape(params int[] shape)
    {
        var free = Array.IndexOf(shape, -1);
        if (free >= 0)
        {
            var others = shape.Where((_, axis) => axis != free).Aggregate(1, (product, extent) => product * extent);
            Check.That(others > 0 && Length % others == 0, nameof(Reshape), $"shape {Shape} of {Length} elements does not divide into [{string.Join(", ", shape)}].");
            shape = [.. shape];
            shape[free] = Length / others;
        }

        return Reshape((Shape)shape);
    }

    /// <summary>The same elements in another shape, a view.</summary>
    /// <param name="shape">The new shape, with the same number of elements; no extent may be -1.</param>
    /// <exception cref="ArgumentException">The number of elements differs.</exception>
    public Tensor Reshape(Shape shape)
    {
        Check.That(shape.Elements == Length, nameof(Reshape), $"shape {Shape} has {Length} elements but {shape} has {shape.Elements}.");
        var old = Shape;
        return View(Offset, shape).WithBackward(nameof(Reshape), [this], [], (dy, _) => [dy.Reshape(old)]);
    }

    /// <summary>Merges all axes but the leading one: [N, features].</summary>
    /// <exception cref="ArgumentException">This is a scalar.</exception>
    public Tensor Flatten()
    {
        Check.That(Rank > 0, nameof(Flatten), $"the input must be [N, ...], not {Shape}.");
        return Reshape(Shape[0], Shape.Create(Shape.AsSpan()[1..]).Elements);
    }

    /// <summary>The same elements with one more axis of extent 1, a view.</summary>
    /// <param name="axis">The position of the new axis in the result, from -rank - 1 to rank: 0 puts it before all others, -1 after them.</param>
    /// <exception cref="ArgumentException">The result has no such axis.</exception>
    public Tensor Unsqueeze(int axis)
    {
        Check.That(axis >= -Rank - 1 && axis <= Rank, nameof(Unsqueeze), $"a new axis cannot be at {axis} in shape {Shape}, which has {Rank} axes; use {-Rank - 1} to {Rank}.");
        if (axis < 0) axis += Rank + 1;
        return Reshape(Shape.Create([.. Shape.AsSpan()[..axis], 1, .. Shape.AsSpan()[axis..]]));
    }

    /// <summary>The same elements without an axis of extent 1, a view.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <exception cref="ArgumentException">There is no such axis, or its extent is not 1.</exception>
    public Tensor Squeeze(int axis)
    {
        axis = Shape.Axis(axis, nameof(Squeeze));
        Check.That(Shape[axis] == 1, nameof(Squeeze), $"axis {axis} of shape {Shape} has {Shape[axis]} elements; only an axis of extent 1 can be removed. Take one element with Slice, or reduce the axis.");
        return Reshape(Shape.Create([.. Shape.AsSpan()[..axis], .. Shape.AsSpan()[(axis + 1)..]]));
    }

    /// <summary>The same elements without all axes of extent 1, a view.</summary>
    /// <remarks>A batch of one example loses its leading axis too. If that axis must stay, use <see cref="Squeeze(int)"/>.</remarks>
    public Tensor Squeeze() => Reshape(Shape.Create([.. Shape.Where(extent => extent != 1)]));

    /// <summary>The axes in another order: axis i of the result is axis order[i] of this tensor.</summary>
    /// <param name="order">Each axis once, counted from 0; an empty list reverses the axes.</param>
    /// <exception cref="ArgumentException">The order does not name each axis once.</exception>
    public Tensor Transpose(params int[] order)
    {
        if (order.Length == 0) order = [.. Enumerable.Range(0, Rank).Reverse()];
        Check.That(order.Length == Rank && order.Order().SequenceEqual(Enumerable.Range(0, Rank)), nameof(Transpose),
            $"[{string.Join(", ", order)}] is not an order of the {Rank} axes of shape {Shape}; name each axis once.");
        var strides = Shape.Strides();
        var shape = Shape;
        var y = Empty(order.Select(axis => shape[axis]).ToArray(), Device);
        Device.Backend.CopyStrided(this, 0, order.Select(axis => strides[axis]).ToArray(), y.Shape, 0, y.Shape.Strides(), y);
        return y.WithBackward(nameof(Transpose), [this], [], (dy, _) =>
        {
            var inverse = new int[order.Length];
            for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
            return [dy.Transpose(inverse)];
        });
    }

    /// <summary>Exchanges two axes: SwapAxes(0, 1) transposes a matrix, SwapAxes(-2, -1) each matrix of a batch.</summary>
    /// <param name="first">The first axis; a negative one counts from the end.</param>
    /// <param name="second">The second axis; a negative one counts from the end.</param>
    /// <exception cref="ArgumentException">There is no such axis.</exception>
    public Tensor SwapAxes(int first, int second)
    {
        (first, second) = (Shape.Axis(first, nameof(SwapAxes)), Shape.Axis(second, nameof(SwapAxes)));
        int[] order = [.. Enumerable.Range(0, Rank)];
        (order[first], order[second]) = (second, first);
        return Transpose(order);
    }

    /// <summary>Images [N, C, H, W] as [N, H, W, C], the order of this engine.</summary>
    /// <exception cref="ArgumentException">The tensor does not have 4 axes.</exception>
    public Tensor ToChannelsLast() => Transpose(0, 2, 3, 1);

    /// <summary>Images [N, H, W, C] as [N, C, H, W], the order of PyTorch and ONNX.</summary>
    /// <exception cref="ArgumentException">The tensor does not have 4 axes.</exception>
    public Tensor ToChannelsFirst() => Transpose(0, 3, 1, 2);

    /// <summary>Elements start, start + 1, ... of an axis. A view for the leading axis, otherwise a copy.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <param name="start">The index of the first element.</param>
    /// <param name="count">The number of elements, 0 or more.</param>
    /// <exception cref="ArgumentException">There is no such axis, or the range exceeds it.</exception>
    public Tensor Slice(int axis, int start, int count)
    {
        axis = Shape.Axis(axis, nameof(Slice));
        Check.That(start >= 0 && count >= 0 && count <= Shape[axis] - start, nameof(Slice),
            $"{count} elements from {start} on are outside axis {axis} of shape {Shape}, which has {Shape[axis]}.");
        var strides = Shape.Strides();
        var (whole, shape) = (Shape, Shape.With(axis, count));
        var y = axis == 0 ? View(Offset + start * strides[0], shape) : Empty(shape, Device);
        if (axis > 0) Device.Backend.CopyStrided(this, start * strides[axis], strides, shape, 0, shape.Strides(), y);
        return y.WithBackward(nameof(Slice), [this], [], (dy, _) =>
        {
            var dx = Zeros(whole, dy.Device);
            dy.Device.Backend.CopyStrided(dy, 0, shape.Strides(), shape, start * strides[axis], strides, dx);
            return [dx];
        });
    }

    /// <summary>Parts of equal size along an axis, one after the other. If the size does not divide the extent, the last part is smaller.</summary>
    /// <param name="size">The number of elements of each part along the axis, 1 or more.</param>
    /// <param name="axis">The axis; a negative one counts from the end. Along axis 0 the parts are views, otherwise copies.</param>
    /// <exception cref="ArgumentException">There is no such axis, or the size is below 1.</exception>
    public Tensor[] Split(int size, int axis = 0)
    {
        axis = Shape.Axis(axis, nameof(Split));
        Check.That(size > 0, nameof(Split), $"the parts would have {size} elements; expected 1 or more. For parts of different sizes, pass a list.");
        var extent = Shape[axis];
        return Split([.. Enumerable.Range(0, (int)(((long)extent + size - 1) / size)).Select(part => Math.Min(size, extent - part * size))], axis);
    }

    /// <summary>Parts of given sizes along an axis, one after the other.</summary>
    /// <param name="sizes">The number of elements of each part along the axis, 0 or more; their sum is the extent of the axis.</param>
    /// <param name="axis">The axis; a negative one counts from the end. Along axis 0 the parts are views, otherwise copies.</param>
    /// <exception cref="ArgumentException">There is no such axis, or the sizes do not add up to its extent.</exception>
    public Tensor[] Split(IReadOnlyList<int> sizes, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(sizes);
        axis = Shape.Axis(axis, nameof(Split));
        Check.That(sizes.All(size => size >= 0) && sizes.Sum(size => (long)size) == Shape[axis], nameof(Split),
            $"the sizes of the parts are [{string.Join(", ", sizes)}]; expected 0 or more each, and {Shape[axis]} together, the extent of axis {axis} of shape {Shape}.");
        var parts = new Tensor[sizes.Count];
        for (int part = 0, start = 0; part < parts.Length; start += sizes[part++]) parts[part] = Slice(axis, start, sizes[part]);
        return parts;
    }

    /// <summary>Puts tensors of one shape side by side along a new axis. It makes a batch of examples.</summary>
    /// <param name="tensors">One tensor or more, on one device.</param>
    /// <param name="axis">The position of the new axis in the result; a negative one counts from the end.</param>
    /// <exception cref="ArgumentException">There are no tensors, their shapes or devices differ, or the result has no such axis.</exception>
    public static Tensor Stack(IReadOnlyList<Tensor> tensors, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Check.That(tensors.Count > 0, nameof(Stack), $"there are no tensors to stack.");
        foreach (var tensor in tensors)
            Check.That(tensor.Shape == tensors[0].Shape, nameof(Stack), $"shapes {tensors[0].Shape} and {tensor.Shape} differ; they must be equal. To join along an axis that the tensors have, use Concat.");
        Check.That(axis >= -tensors[0].Rank - 1 && axis <= tensors[0].Rank, nameof(Stack), $"a new axis cannot be at {axis} in shape {tensors[0].Shape}, which has {tensors[0].Rank} axes; use {-tensors[0].Rank - 1} to {tensors[0].Rank}.");
        return Concat([.. tensors.Select(tensor => tensor.Unsqueeze(axis))], axis);
    }

    /// <summary>Puts tensors one after the other along an axis.</summary>
    /// <param name="tensors">One tensor or more, on one device; only their extents along the axis may differ.</param>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <exception cref="ArgumentException">There are no tensors, their shapes do not fit, there is no such axis, or the devices differ.</exception>
    public static Tensor Concat(IReadOnlyList<Tensor> tensors, int axis = 0)
    {
        ArgumentNullException.ThrowIfNull(tensors);
        Check.That(tensors.Count > 0, nameof(Concat), $"there are no tensors to join.");
        var first = tensors[0];
        axis = first.Shape.Axis(axis, nameof(Concat));
        foreach (var tensor in tensors)
        {
            Check.SameDevice(nameof(Concat), first, tensor);
            Check.That(tensor.Rank == first.Rank && tensor.Shape.With(axis, 0) == first.Shape.With(axis, 0), nameof(Concat),
                $"shapes {first.Shape} and {tensor.Shape} differ outside axis {axis}.");
        }

        int[] counts = [.. tensors.Select(tensor => tensor.Shape[axis])];
        var y = Empty(first.Shape.With(axis, counts.Sum()), first.Device);
        var strides = y.Shape.Strides();
        for (int i = 0, start = 0; i < tensors.Count; start += counts[i++])
            y.Device.Backend.CopyStrided(tensors[i], 0, tensors[i].Shape.Strides(), tensors[i].Shape, start * strides[axis], strides, y);
        return y.WithBackward(nameof(Concat), tensors.ToArray(), [], (dy, saved) =>
        {
            var gradients = new Tensor?[counts.Length];
            for (int i = 0, start = 0; i < counts.Length; start += counts[i++])
                gradients[i] = saved.Needs(i) ? dy.Slice(axis, start, counts[i]) : null;
            return gradients;
        });
    }

    /// <summary>Adds <paramref name="before"/> and <paramref name="after"/> elements of one value at the two ends of an axis.</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <param name="before">The number of elements before the first one, 0 or more.</param>
    /// <param name="after">The number of elements after the last one, 0 or more.</param>
    /// <param name="value">The value of the added elements.</param>
    /// <exception cref="ArgumentException">There is no such axis, or a number of elements is negative.</exception>
    public Tensor Pad(int axis, int before, int after, float value = 0f)
    {
        axis = Shape.Axis(axis, nameof(Pad));
        Check.That(before >= 0 && after >= 0, nameof(Pad), $"the padding is {before} before and {after} after; it cannot be negative; use Slice to cut.");
        var y = Full(Shape.With(axis, Shape[axis] + before + after), value, Device);
        var strides = y.Shape.Strides();
        Device.Backend.CopyStrided(this, 0, Shape.Strides(), Shape, before * strides[axis], strides, y);
        var count = Shape[axis];
        return y.WithBackward(nameof(Pad), [this], [], (dy, _) => [dy.Slice(axis, before, count)]);
    }

    /// <summary>Every <paramref name="step"/>-th element of an axis, starting with the first: the shortcut of option A (He et al. 2016).</summary>
    /// <param name="axis">The axis; a negative one counts from the end.</param>
    /// <param name="step">The step, 1 or more.</param>
    /// <exception cref="ArgumentException">There is no such axis, or the step is below 1.</exception>
    public Tensor Subsample(int axis, int step)
    {
        axis = Shape.Axis(axis, nameof(Subsample));
        Check.That(step > 0, nameof(Subsample), $"the step is {step}; use 1 or more.");
        var shape = Shape.With(axis, (Shape[axis] + step - 1) / step);
        var (whole, strides) = (Shape, Shape.Strides());
        strides[axis] *= step;
        var y = Empty(shape, Device);
        Device.Backend.CopyStrided(this, 0, strides, shape, 0, shape.Strides(), y);
        return y.WithBackward(nameof(Subsample), [this], [], (dy, _) =>
        {
            var dx = Zeros(whole, dy.Device);
            dy.Device.Backend.CopyStrided(dy, 0, shape.Strides(), shape, 0, strides, dx);
            return [dx];
        });
    }

    /// <summary>Repeats axes of extent 1, and adds leading axes, to reach a shape that this one broadcasts to.</summary>
    /// <param name="shape">The new shape. Aligned at the innermost axis, its extents are equal to those of this tensor, except where this tensor has extent 1.</param>
    /// <exception cref="ArgumentException">This shape does not broadcast to the other.</exception>
    public Tensor Expand(Shape shape)
    {
        Check.That(Shape.Broadcast(Shape, shape, nameof(Expand)) == shape, nameof(Expand), $"shape {Shape} does not expand to {shape}.");
        if (shape == Shape) return Clone();
        var added = shape.Rank - Rank;
        var own = Shape.Strides();
        var strides = new int[shape.Rank];
        for (var axis = added; axis < shape.Rank; axis++) strides[axis] = Shape[axis - added] == 1 ? 0 : own[axis - added];
        var y = Empty(shape, Device);
        Device.Backend.CopyStrided(this, 0, strides, shape, 0, shape.Strides(), y);
        var old = Shape;
        return y.WithBackward(nameof(Expand), [this], [], (dy, _) => [Broadcasting.SumTo(dy, old)]);
    }

    /// <summary>Repeats each pixel of [N, H, W, C] factor times along height and width: nearest-neighbor upsampling.</summary>
    /// <param name="factor">The factor, 1 or more.</param>
    /// <exception cref="ArgumentException">The tensor is not [N, H, W, C], or the factor is below 1.</exception>
    public Tensor Upsample(int factor)
    {
        Check.That(Rank == 4, nameof(Upsample), $"the input must be [N, H, W, C], not {Shape}.");
        Check.That(factor > 0, nameof(Upsample), $"the factor is {factor}; use 1 or more.");
        int n = Shape[0], h = Shape[1], w = Shape[2], c = Shape[3];
        return Reshape(n, h, 1, w, 1, c).Expand([n, h, factor, w, factor, c]).Reshape(n, h * factor, w * factor, c);
    }
}
