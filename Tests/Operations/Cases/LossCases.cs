namespace QuadEngine.Tests.Operations;

/// <summary>Softmax, losses and dropout.</summary>
static class LossCases
{
    [CaseFor(typeof(Tensor), nameof(Tensor.Softmax))]
    static OperationCall SoftmaxOfRows(Dice dice) => new([dice.Values(Logits(dice))], x => x[0].Softmax())
    {
        Oracle = x => Array64.From(x[0].Shape, at => Math.Exp(x[0][at]) / SumExp(x[0], at)),
    };

    [CaseFor(typeof(Tensor), nameof(Tensor.LogSoftmax))]
    static OperationCall LogSoftmaxOfRows(Dice dice) => new([dice.Values(Logits(dice))], x => x[0].LogSoftmax())
    {
        Oracle = x => Array64.From(x[0].Shape, at => x[0][at] - Math.Log(SumExp(x[0], at))),
    };

    [CaseFor(typeof(Losses), nameof(Losses.CrossEntropy))]
    static OperationCall CrossEntropyOfLabels(Dice dice)
    {
        var logits = dice.Values(Logits(dice), -3, 3);
        var (rows, classes) = (logits.Shape.Rows, logits.Shape.Channels);
        var labels = dice.Labels(rows, classes);
        var smoothing = dice.OneOf(0f, 0.1f, 0.5f);
        return new([logits], x => Losses.CrossEntropy(x[0], labels.To(x[0].Device), smoothing), $"smoothing {smoothing}")
        {
            Oracle = x => Array64.From([], _ =>
            {
                var places = Array64.Indices(x[0].Shape).ToArray();
                var loss = 0.0;
                for (var row = 0; row < rows; row++)
                    for (var c = 0; c < classes; c++)
                    {
                        var at = places[row * classes + c];
                        var target = (c == labels.ToArray()[row] ? 1 - (double)smoothing : 0) + (double)smoothing / classes;
                        loss -= target * (x[0][at] - Math.Log(SumExp(x[0], at))) / rows;
                    }

                return loss;
            }),
        };
    }

    [CaseFor(typeof(Losses), nameof(Losses.MeanSquaredError))]
    static OperationCall MeanSquaredError(Dice dice)
    {
        var shape = dice.Shape();
        return new([dice.Values(shape), dice.Values(shape)], x => Losses.MeanSquaredError(x[0], x[1]))
        {
            Oracle = x => Array64.From([], _ => Array64.Indices(shape).Average(at => Math.Pow(x[0][at] - x[1][at], 2))),
        };
    }

    [CaseFor(typeof(Losses), nameof(Losses.BinaryCrossEntropyWithLogits))]
    static OperationCall BinaryCrossEntropyWithLogits(Dice dice)
    {
        var shape = dice.Shape();
        return new([dice.AwayFromZero(shape, high: 4), dice.Values(shape, 0, 1)], x => Losses.BinaryCrossEntropyWithLogits(x[0], x[1]))
        {
            Oracle = x => Array64.From([], _ => Array64.Indices(shape).Average(at =>
            {
                var p = 1 / (1 + Math.Exp(-x[0][at]));
                return -x[1][at] * Math.Log(p) - (1 - x[1][at]) * Math.Log(1 - p);
            })),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Dropout))]
    static OperationCall DropoutOfOneMask(Dice dice)
    {
        var p = dice.OneOf(0f, 0.2f, 0.7f);
        return new([dice.Values(dice.Shape())], x => x[0].Dropout(p, new Generator(dice.Seed)), $"p = {p}")
        {
            Oracle = x =>
            {
                var element = 0;
                return Array64.From(x[0].Shape, at =>
                {
                    var (a, b, c, d) = Philox.At(dice.Seed, 0, (ulong)(element / 4));
                    uint[] words = [a, b, c, d];
                    return Philox.ToUnit(words[element++ % 4]) >= p ? x[0][at] / (1 - (double)p) : 0;
                });
            },
        };
    }

    static Shape Logits(Dice dice) => [.. dice.Shape(0, 2), dice.OneOf(1, 2, 5, 10, 16, 33)];

    static double SumExp(Array64 x, int[] at) => Enumerable.Range(0, x.Shape.Channels).Sum(c => Math.Exp(x[[.. at[..^1], c]]));
}
