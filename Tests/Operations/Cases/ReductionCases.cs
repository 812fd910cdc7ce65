namespace QuadEngine.Tests.Operations;

/// <summary>Reductions over any axes.</summary>
static class ReductionCases
{
    [CaseFor(typeof(Tensor), nameof(Tensor.Sum))]
    static OperationCall Sum(Dice dice) => Over(dice, dice.Values(dice.Shape()), (x, axes, keep) => x.Sum(axes, keep), values => values.Sum());

    [CaseFor(typeof(Tensor), nameof(Tensor.Mean))]
    static OperationCall Mean(Dice dice) => Over(dice, dice.Values(dice.Shape()), (x, axes, keep) => x.Mean(axes, keep), values => values.Average());

    [CaseFor(typeof(Tensor), nameof(Tensor.Variance))]
    static OperationCall Variance(Dice dice) => Over(dice, dice.Values(dice.Shape()), (x, axes, keep) => x.Variance(axes, keep), values =>
    {
        var mean = values.Average();
        return values.Average(value => (value - mean) * (value - mean));
    });

    [CaseFor(typeof(Tensor), nameof(Tensor.Max))]
    static OperationCall Max(Dice dice) => Over(dice, Distinct(dice, dice.Shape()), (x, axes, keep) => x.Max(axes, keep), values => values.Max());

    [CaseFor(typeof(Tensor), nameof(Tensor.Min))]
    static OperationCall Min(Dice dice) => Over(dice, Distinct(dice, dice.Shape()), (x, axes, keep) => x.Min(axes, keep), values => values.Min());

    [CaseFor(typeof(Tensor), nameof(Tensor.Sum))]
    static OperationCall SumOfOne(Dice dice) => OverOne(dice, dice.Values(dice.Shape(1)), (x, axis, keep) => x.Sum(axis, keep), values => values.Sum());

    [CaseFor(typeof(Tensor), nameof(Tensor.Mean))]
    static OperationCall MeanOfOne(Dice dice) => OverOne(dice, dice.Values(dice.Shape(1)), (x, axis, keep) => x.Mean(axis, keep), values => values.Average());

    [CaseFor(typeof(Tensor), nameof(Tensor.Variance))]
    static OperationCall VarianceOfOne(Dice dice) => OverOne(dice, dice.Values(dice.Shape(1)), (x, axis, keep) => x.Variance(axis, keep), values =>
    {
        var mean = values.Average();
        return values.Average(value => (value - mean) * (value - mean));
    });

    [CaseFor(typeof(Tensor), nameof(Tensor.Max))]
    static OperationCall MaxOfOne(Dice dice) => OverOne(dice, Distinct(dice, dice.Shape(1)), (x, axis, keep) => x.Max(axis, keep), values => values.Max());

    [CaseFor(typeof(Tensor), nameof(Tensor.Min))]
    static OperationCall MinOfOne(Dice dice) => OverOne(dice, Distinct(dice, dice.Shape(1)), (x, axis, keep) => x.Min(axis, keep), values => values.Min());

    static Tensor Distinct(Dice dice, Shape shape) => Tensor.FromArray(dice.Distinct(shape.Elements), shape);

    static OperationCall OverOne(Dice dice, Tensor x, Func<Tensor, int, bool, Tensor> reduce, Func<List<double>, double> fold) =>
        Over(dice, x, [dice.Between(0, x.Rank - 1)], (x, axes, keep) => reduce(x, axes![0], keep), fold);

    static OperationCall Over(Dice dice, Tensor x, Func<Tensor, int[]?, bool, Tensor> reduce, Func<List<double>, double> fold) =>
        Over(dice, x, dice.Between(0, 3) == 0 ? null : [.. Enumerable.Range(0, x.Rank).Where(_ => dice.Coin())], reduce, fold);

    static OperationCall Over(Dice dice, Tensor x, int[]? axes, Func<Tensor, int[]?, bool, Tensor> reduce, Func<List<double>, double> fold)
    {
        var keep = dice.Coin();
        bool Folded(int axis) => axes is null or [] || axes.Contains(axis);
        var given = axes?.Select(axis => dice.Coin() ? axis : axis - x.Rank).ToArray();
        return new([x], x => reduce(x[0], given, keep), $"axes {(given is null ? "all" : $"[{string.Join(" ", given)}]")}, keepDims {keep}")
        {
            Oracle = x =>
            {
                var groups = Array64.Indices(x[0].Shape)
                    .GroupBy(at => string.Join(",", at.Where((_, axis) => !Folded(axis))), at => x[0][at])
                    .Select(group => fold([.. group])).ToArray();
                var element = 0;
                var shape = x[0].Shape.Select((extent, axis) => Folded(axis) ? keep ? 1 : -1 : extent).Where(extent => extent > 0).ToArray();
                return Array64.From(shape, _ => groups[element++]);
            },
        };
    }
}
