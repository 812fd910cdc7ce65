namespace QuadEngine.Tests.Operations;

/// <summary>Batch norm, alone and with the operations that join its pass; layer norm.</summary>
static class NormalizationCases
{
    const float Epsilon = 1e-3f;

    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNorm))]
    static OperationCall Train(Dice dice)
    {
        var x = dice.Values(Batch(dice));
        var affine = dice.Coin();
        Shape channels = [x.Shape.Channels];
        return new(affine ? [x, dice.Values(channels), dice.Values(channels)] : [x], x => x[0].BatchNorm(affine ? x[1] : null, affine ? x[2] : null, epsilon: Epsilon))
        {
            Oracle = x => Normalize(x[0], affine ? x[1] : null, affine ? x[2] : null, Moments(x[0])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNorm))]
    static OperationCall TrainWithResidual(Dice dice)
    {
        var x = dice.Values(Batch(dice));
        Shape channels = [x.Shape.Channels];
        var first = dice.Coin();
        return new([x, dice.Values(channels), dice.Values(channels), dice.Values(x.Shape)], x =>
        {
            var y = x[0].BatchNorm(x[1], x[2], epsilon: Epsilon);
            return first ? x[3] + y : y + x[3];
        })
        {
            Oracle = x => Plus(Normalize(x[0], x[1], x[2], Moments(x[0])), x[3]),
        };
    }

    // The residual of +-3 keeps the sum away from the kink, because |xhat| is less than 2.4 with gamma in +-1 and these few rows.
    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNorm))]
    static OperationCall TrainWithResidualAndRelu(Dice dice)
    {
        var x = dice.Values([dice.Between(2, 3), 1, 2, dice.OneOf(1, 3, 16, 17)]);
        Shape channels = [x.Shape.Channels];
        return new([x, dice.Values(channels, -1, 1), dice.Values(channels, -0.1, 0.1), dice.AwayFromZero(x.Shape, 3, 4)],
            x => (x[0].BatchNorm(x[1], x[2], epsilon: Epsilon) + x[3]).Relu())
        {
            Oracle = x => Rectified(Plus(Normalize(x[0], x[1], x[2], Moments(x[0])), x[3])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNorm))]
    static OperationCall TrainWithRelu(Dice dice)
    {
        var x = dice.Values([dice.Between(2, 3), 1, 2, dice.OneOf(1, 3, 16, 17)]);
        Shape channels = [x.Shape.Channels];
        return new([x, dice.Values(channels, -1, 1), dice.AwayFromZero(channels, 3, 4)], x => x[0].BatchNorm(x[1], x[2], epsilon: Epsilon).Relu())
        {
            Oracle = x => Rectified(Normalize(x[0], x[1], x[2], Moments(x[0]))),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNorm))]
    static OperationCall ConvolutionThenTrain(Dice dice)
    {
        int inChannels = dice.Between(1, 4), channels = dice.OneOf(1, 5, 16, 18);
        return new([dice.Values([2, 3, 3, inChannels]), dice.Values([3, 3, inChannels, channels]), dice.Values([channels]), dice.Values([channels])],
            x => x[0].Conv2d(x[1], padding: 1).BatchNorm(x[2], x[3], epsilon: Epsilon))
        {
            Oracle = x =>
            {
                var z = ProjectionCases.Convolve(x[0], x[1], null, 1, 1, 1, 1);
                return Normalize(z, x[2], x[3], Moments(z));
            },
        };
    }

    // As in a quadratic network, but without ReLU, because the quadratic terms would reach its kink.
    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNorm))]
    static OperationCall NeuronsThenTrain(Dice dice)
    {
        var layout = new NeuronLayout(dice.OneOf(1, 4, 7, 16, 19), dice.OneOf(0, 1, 2, 3, 9));
        bool normalized = dice.Coin(), residual = dice.Coin();
        Shape channels = [layout.Channels], shape = [dice.Between(3, 6), layout.Channels];
        Tensor[] inputs = [dice.Values(shape), dice.Values([layout.Coefficients], -0.5, 0.5), dice.Values(channels), dice.Values(channels)];
        return new(residual ? [.. inputs, dice.Values(shape)] : inputs, x =>
        {
            var y = x[0].QuadraticNeuron(x[1], layout, normalized).BatchNorm(x[2], x[3], epsilon: 0.1f);
            return residual ? y + x[4] : y;
        }, $"{layout}, normalized {normalized}, residual {residual}")
        {
            Oracle = x =>
            {
                var z = QuadraticCases.Epilogue(x[0], x[1], layout.Rank, normalized);
                var y = Normalize(z, x[2], x[3], Moments(z), 0.1f);
                return residual ? Plus(y, x[4]) : y;
            },
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.BatchNormInference))]
    static OperationCall Infer(Dice dice)
    {
        var x = dice.Values(Batch(dice));
        var affine = dice.Coin();
        Shape channels = [x.Shape.Channels];
        float[] mean = dice.Values(channels).ToArray(), variance = dice.Values(channels, 0.3, 2).ToArray();
        return new(affine ? [x, dice.Values(channels), dice.Values(channels)] : [x],
            x => x[0].BatchNormInference(Tensor.FromArray(mean, channels, x[0].Device), Tensor.FromArray(variance, channels, x[0].Device), affine ? x[1] : null, affine ? x[2] : null, Epsilon))
        {
            Oracle = x => Normalize(x[0], affine ? x[1] : null, affine ? x[2] : null, channel => (mean[channel], variance[channel])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.LayerNorm))]
    static OperationCall Layer(Dice dice)
    {
        var x = dice.Values([.. dice.Shape(0, 3), dice.OneOf(2, 3, 7, 16, 21)]);
        var affine = dice.Coin();
        Shape channels = [x.Shape.Channels];
        return new(affine ? [x, dice.Values(channels), dice.Values(channels)] : [x], x => x[0].LayerNorm(affine ? x[1] : null, affine ? x[2] : null, 1e-2f))
        {
            Oracle = x => Array64.From(x[0].Shape, at =>
            {
                var row = Enumerable.Range(0, channels[0]).Select(c => x[0][[.. at[..^1], c]]).ToArray();
                double mean = row.Average(), variance = row.Average(value => (value - mean) * (value - mean));
                return (x[0][at] - mean) / Math.Sqrt(variance + 1e-2f) * (affine ? x[1][at[^1]] : 1) + (affine ? x[2][at[^1]] : 0);
            }),
        };
    }

    // With two rows, xhat is nearly +-1 for any x, and gradients vanish. A useful check needs a few more rows.
    static Shape Batch(Dice dice) => dice.Coin() ? [dice.Between(3, 6), dice.OneOf(1, 4, 16, 19)] : [dice.Between(2, 3), dice.Between(2, 3), dice.Between(1, 3), dice.OneOf(1, 4, 16, 19)];

    static Func<int, (double, double)> Moments(Array64 x)
    {
        var rows = Array64.Indices(x.Shape).GroupBy(at => at[^1], at => x[at]).ToDictionary(group => group.Key, group => group.ToArray());
        return channel =>
        {
            var mean = rows[channel].Average();
            return (mean, rows[channel].Average(value => (value - mean) * (value - mean)));
        };
    }

    static Array64 Normalize(Array64 x, Array64? gamma, Array64? beta, Func<int, (double Mean, double Variance)> moments, float epsilon = Epsilon) => Array64.From(x.Shape, at =>
    {
        var (mean, variance) = moments(at[^1]);
        return (x[at] - mean) / Math.Sqrt(variance + epsilon) * (gamma is null ? 1 : gamma[at[^1]]) + (beta is null ? 0 : beta[at[^1]]);
    });

    static Array64 Plus(Array64 a, Array64 b) => Array64.From(a.Shape, at => a[at] + b[at]);

    static Array64 Rectified(Array64 x) => Array64.From(x.Shape, at => Math.Max(0, x[at]));
}
