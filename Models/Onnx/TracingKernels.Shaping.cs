using QuadEngine.Devices;

namespace QuadEngine.Models.Onnx;

// Kernels that move elements. This engine has one kernel for all moves; ONNX has an operation for each kind.
sealed partial class TracingKernels
{
    public override void Fill(Operand y, float value)
    {
        if (y.Shape.Any(trace.IsBatch)) trace.Fill(y, value);
        else Computed(y, [], y => Cpu.Fill(y, value));
    }

    public override void Copy(Operand x, Operand y)
    {
        if (Computed(y, [x], y => Cpu.Copy(Host(x), y))) return;
        var symbol = trace.Reshape(trace.Read(x), y.Shape);
        trace.Define(y, symbol.Name, symbol.ChannelsFirst);
    }

    public override void CopyStrided(Operand x, int xOffset, ReadOnlySpan<int> xStrides, Shape shape, int yOffset, ReadOnlySpan<int> yStrides, Operand y)
    {
        int[] from = [.. xStrides], to = [.. yStrides];
        if (Computed(y, [x, y], y => Cpu.CopyStrided(Host(x), xOffset, from, shape, yOffset, to, y))) return;
        if (!y.Shape.Strides().SequenceEqual(to)) throw Trace.Unsupported("writing with gaps");

        var part = ReadStrided(x, xOffset, from, shape);
        if (shape == y.Shape) trace.Define(y, part.Name, part.ChannelsFirst);
        else trace.Paint(y, IndexOf(yOffset, y.Shape), part);
    }

    // The strides show the kind of move: zeros repeat elements, multiples of the tensor's own strides select a part, other strides reorder axes.
    Symbol ReadStrided(Operand x, int offset, int[] strides, Shape shape)
    {
        var symbol = trace.Read(x);
        var own = x.Shape.Strides();
        if (offset == 0 && shape.Elements >= x.Length && Expands(x.Shape, own, strides, shape))
            return new Symbol(Graph.Add("Expand", [trace.Last(symbol), Graph.Integers(trace.Extents(shape, 1))]), shape, false);
        if (shape.Rank == x.Shape.Rank && Steps(x.Shape, own, strides, shape) is { } steps) return Slice(symbol, IndexOf(offset, x.Shape), steps, shape);
        if (offset == 0 && shape.Elements == x.Length && Order(x.Shape, own, strides, shape) is { } order) return trace.Transpose(symbol, order);
        throw Trace.Unsupported($"copying with strides [{string.Join(", ", strides)}] from shape {x.Shape}");
    }

    Symbol Slice(Symbol x, int[] start, int[] steps, Shape shape)
    {
        int[] axes = [.. Enumerable.Range(0, shape.Rank).Where(axis => steps[axis] != 1 || x.Shape[axis] != shape[axis])];
        if (axes.Length == 0) return x;
        if (axes.Any(axis => trace.IsBatch(x.Shape[axis]))) throw Trace.Unsupported("a part of the batch");
        long[] Of(Func<int, int> value) => [.. axes.Select(axis => (long)value(axis))];
        return x with
        {
            Name = Graph.Add("Slice", [x.Name, Graph.Integers(Of(axis => start[axis])), Graph.Integers(Of(axis => start[axis] + (shape[axis] - 1) * steps[axis] + 1)),
                Graph.Integers(Of(axis => Trace.AxisOf(x, axis))), Graph.Integers(Of(axis => steps[axis]))]),
            Shape = shape,
        };
    }

    static bool Expands(Shape from, int[] own, int[] strides, Shape to)
    {
        var added = to.Rank - from.Rank;
        return added >= 0 && strides.Contains(0) && Enumerable.Range(0, to.Rank).All(axis =>
            axis < added || from[axis - added] == 1 ? strides[axis] == 0 || to[axis] == 1 : strides[axis] == own[axis - added] && to[axis] == from[axis - added]);
    }

    static int[]? Steps(Shape from, int[] own, int[] strides, Shape to)
    {
        var axes = Enumerable.Range(0, to.Rank);
        return axes.All(axis => to[axis] == 1 || strides[axis] > 0 && strides[axis] % own[axis] == 0 && (to[axis] - 1) * (strides[axis] / own[axis]) < from[axis])
            ? [.. axes.Select(axis => Math.Max(1, strides[axis] / own[axis]))]
            : null;
    }

    static int[]? Order(Shape from, int[] own, int[] strides, Shape to)
    {
        var free = Enumerable.Range(0, from.Rank).ToList();
        var order = new int[to.Rank];
        for (var axis = 0; axis < order.Length; axis++)
        {
            var found = free.FindIndex(source => from[source] == to[axis] && own[source] == strides[axis]);
            if (found < 0) return null;
            order[axis] = free[found];
            free.RemoveAt(found);
        }

        return order;
    }

    static int[] IndexOf(int offset, Shape shape) => [.. shape.Strides().Select((stride, axis) => offset / stride % shape[axis])];
}
