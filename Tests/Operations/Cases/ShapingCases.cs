namespace QuadEngine.Tests.Operations;

/// <summary>Operations that move elements.</summary>
static class ShapingCases
{
    [CaseFor(typeof(Tensor), nameof(Tensor.Reshape))]
    static OperationCall Reshape(Dice dice)
    {
        var x = dice.Values(dice.Shape());
        Shape merged = dice.Coin() || x.Rank < 2 ? [x.Length] : [x.Shape[0] * x.Shape[1], .. x.Shape.Skip(2)];
        // An operation after the view, so that its gradient must return in the old shape.
        return new([x], x => (dice.Seed % 2 == 0 ? x[0].Reshape(merged) : x[0].Reshape(1, -1)).Square())
        {
            Oracle = x => Array64.From(dice.Seed % 2 == 0 ? merged : [1, x[0].Shape.Elements], Squared(x[0])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Flatten))]
    static OperationCall Flatten(Dice dice) => new([dice.Values(dice.Shape(1))], x => x[0].Flatten().Square())
    {
        Oracle = x => Array64.From([x[0].Shape[0], x[0].Shape.Elements / x[0].Shape[0]], Squared(x[0])),
    };

    [CaseFor(typeof(Tensor), nameof(Tensor.Unsqueeze))]
    static OperationCall Unsqueeze(Dice dice)
    {
        var x = dice.Values(dice.Shape());
        int axis = dice.Between(0, x.Rank), given = dice.Coin() ? axis : axis - x.Rank - 1;
        return new([x], x => x[0].Unsqueeze(given).Square(), $"axis {given}")
        {
            Oracle = x => Array64.From([.. x[0].Shape.Take(axis), 1, .. x[0].Shape.Skip(axis)], Squared(x[0])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Squeeze))]
    static OperationCall Squeeze(Dice dice)
    {
        var shape = dice.Shape(1);
        int axis = dice.Between(0, shape.Rank - 1), given = dice.Coin() ? axis : axis - shape.Rank;
        return new([dice.Values(shape.With(axis, 1))], x => x[0].Squeeze(given).Square(), $"axis {given}")
        {
            Oracle = x => Array64.From([.. shape.Take(axis), .. shape.Skip(axis + 1)], Squared(x[0])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Squeeze))]
    static OperationCall SqueezeAll(Dice dice)
    {
        var shape = dice.Broadcastable(dice.Shape());
        return new([dice.Values(shape)], x => x[0].Squeeze().Square()) { Oracle = x => Array64.From([.. shape.Where(extent => extent > 1)], Squared(x[0])) };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Clone))]
    static OperationCall Clone(Dice dice) => new([dice.Values(dice.Shape())], x => x[0].Clone()) { Oracle = x => x[0] };

    [CaseFor(typeof(Tensor), nameof(Tensor.Transpose))]
    static OperationCall Transpose(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        var order = dice.Order(x.Rank);
        return new([x], x => x[0].Transpose(order), $"order {string.Join(" ", order)}") { Oracle = x => Permuted(x[0], order) };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Transpose))]
    static OperationCall TransposeAll(Dice dice) => new([dice.Values(dice.Shape())], x => x[0].Transpose())
    {
        Oracle = x => Permuted(x[0], [.. Enumerable.Range(0, x[0].Shape.Rank).Reverse()]),
    };

    [CaseFor(typeof(Tensor), nameof(Tensor.SwapAxes))]
    static OperationCall SwapAxes(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        int first = dice.Between(0, x.Rank - 1), second = dice.Between(0, x.Rank - 1);
        int[] order = [.. Enumerable.Range(0, x.Rank)];
        (order[first], order[second]) = (second, first);
        int given = dice.Coin() ? first : first - x.Rank, other = dice.Coin() ? second : second - x.Rank;
        return new([x], x => x[0].SwapAxes(given, other), $"{given} and {other}") { Oracle = x => Permuted(x[0], order) };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.ToChannelsLast))]
    static OperationCall ToChannelsLast(Dice dice) => new([dice.Values(dice.Shape(4, 4))], x => x[0].ToChannelsLast()) { Oracle = x => Permuted(x[0], [0, 2, 3, 1]) };

    [CaseFor(typeof(Tensor), nameof(Tensor.ToChannelsFirst))]
    static OperationCall ToChannelsFirst(Dice dice) => new([dice.Values(dice.Shape(4, 4))], x => x[0].ToChannelsFirst()) { Oracle = x => Permuted(x[0], [0, 3, 1, 2]) };

    [CaseFor(typeof(Tensor), nameof(Tensor.Slice))]
    static OperationCall Slice(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        var axis = dice.Between(0, x.Rank - 1);
        var start = dice.Between(0, x.Shape[axis] - 1);
        var count = dice.Between(1, x.Shape[axis] - start);
        var given = dice.Coin() ? axis : axis - x.Rank;
        return new([x], x => x[0].Slice(given, start, count).Square(), $"axis {given}, {count} from {start}")
        {
            Oracle = x => Array64.From(x[0].Shape.With(axis, count), at => Math.Pow(x[0][Moved(at, axis, start)], 2)),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Concat))]
    static OperationCall Concat(Dice dice)
    {
        var shape = dice.Shape(1);
        var axis = dice.Between(0, shape.Rank - 1);
        Tensor[] parts = [.. Enumerable.Range(0, dice.Between(1, 3)).Select(_ => dice.Values(shape.With(axis, dice.Between(1, 4))))];
        return new(parts, x => Tensor.Concat(x, axis), $"axis {axis}")
        {
            Oracle = x => Array64.From(shape.With(axis, x.Sum(part => part.Shape[axis])), at =>
            {
                var (part, place) = (0, at[axis]);
                while (place >= x[part].Shape[axis]) place -= x[part++].Shape[axis];
                return x[part][Moved(at, axis, place - at[axis])];
            }),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Stack))]
    static OperationCall Stack(Dice dice)
    {
        var shape = dice.Shape(0, 4);
        int axis = dice.Between(0, shape.Rank), given = dice.Coin() ? axis : axis - shape.Rank - 1;
        Tensor[] parts = [.. Enumerable.Range(0, dice.Between(1, 3)).Select(_ => dice.Values(shape))];
        return new(parts, x => Tensor.Stack(x, given).Square(), $"axis {given}")
        {
            Oracle = x => Array64.From([.. shape.Take(axis), x.Length, .. shape.Skip(axis)], at => Math.Pow(x[at[axis]][[.. at[..axis], .. at[(axis + 1)..]]], 2)),
        };
    }

    // Some of the parts, each with its own weight; the others get no gradient.
    [CaseFor(typeof(Tensor), nameof(Tensor.Split))]
    static OperationCall Split(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        int axis = dice.Between(0, x.Rank - 1), extent = x.Shape[axis], given = dice.Coin() ? axis : axis - x.Rank;
        int size = dice.Between(1, extent + 1), used = dice.Between(1, (extent + size - 1) / size), count = Math.Min(extent, used * size);
        return new([x], x => Tensor.Concat([.. x[0].Split(size, given).Take(used).Select((part, i) => part * (i + 1f))], given), $"axis {given}, in {size}, {used} of them")
        {
            Oracle = x => Array64.From(x[0].Shape.With(axis, count), at => x[0][at] * (at[axis] / size + 1)),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Split))]
    static OperationCall SplitBySizes(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        int axis = dice.Between(0, x.Rank - 1), extent = x.Shape[axis], first = dice.Between(0, extent), second = dice.Between(0, extent - first);
        int[] sizes = [first, second, extent - first - second];
        return new([x], x => Tensor.Concat([.. x[0].Split(sizes, axis).Reverse().Select(part => part.Square())], axis), $"axis {axis}, in {string.Join(" ", sizes)}")
        {
            Oracle = x => Array64.From(x[0].Shape, at =>
            {
                var place = at[axis];
                var from = place < sizes[2] ? first + second + place : place < sizes[2] + second ? first + place - sizes[2] : place - sizes[2] - second;
                return Math.Pow(x[0][Moved(at, axis, from - place)], 2);
            }),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Pad))]
    static OperationCall Pad(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        int axis = dice.Between(0, x.Rank - 1), before = dice.Between(0, 2), after = dice.Between(0, 3);
        var value = dice.OneOf(0f, -2.5f);
        return new([x], x => x[0].Pad(axis, before, after, value), $"axis {axis}, {before} before, {after} after, {value}")
        {
            Oracle = x => Array64.From(x[0].Shape.With(axis, x[0].Shape[axis] + before + after),
                at => at[axis] < before || at[axis] >= before + x[0].Shape[axis] ? value : x[0][Moved(at, axis, -before)]),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Subsample))]
    static OperationCall Subsample(Dice dice)
    {
        var x = dice.Values(dice.Shape(1));
        int axis = dice.Between(0, x.Rank - 1), step = dice.Between(1, 3);
        return new([x], x => x[0].Subsample(axis, step), $"axis {axis}, step {step}")
        {
            Oracle = x => Array64.From(x[0].Shape.With(axis, (x[0].Shape[axis] + step - 1) / step), at => x[0][Moved(at, axis, at[axis] * (step - 1))]),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Expand))]
    static OperationCall Expand(Dice dice)
    {
        var shape = dice.Shape();
        return new([dice.Values(dice.Broadcastable(shape))], x => x[0].Expand(shape), $"{shape}") { Oracle = x => Array64.From(shape, x[0].Broadcast) };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Upsample))]
    static OperationCall Upsample(Dice dice)
    {
        var factor = dice.Between(1, 3);
        return new([dice.Values(dice.Shape(4, 4))], x => x[0].Upsample(factor), $"factor {factor}")
        {
            Oracle = x => Array64.From([x[0].Shape[0], x[0].Shape[1] * factor, x[0].Shape[2] * factor, x[0].Shape[3]], at => x[0][at[0], at[1] / factor, at[2] / factor, at[3]]),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.To))]
    static OperationCall To(Dice dice) => new([dice.Values(dice.Shape())], x => x[0].To(Device.Cpu)) { Oracle = x => x[0] };

    static Func<int[], double> Squared(Array64 x)
    {
        var element = 0;
        return _ => Math.Pow(x.Values[element++], 2);
    }

    static int[] Moved(int[] at, int axis, int by)
    {
        int[] moved = [.. at];
        moved[axis] += by;
        return moved;
    }

    static Array64 Permuted(Array64 x, int[] order) => Array64.From(order.Select(axis => x.Shape[axis]).ToArray(), at =>
    {
        var own = new int[at.Length];
        for (var axis = 0; axis < at.Length; axis++) own[order[axis]] = at[axis];
        return x[own];
    });
}
