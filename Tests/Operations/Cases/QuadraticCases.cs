namespace QuadEngine.Tests.Operations;

/// <summary>The quadratic neuron: alone, after a matrix product and after a convolution, with any width and any rank from 0.</summary>
static class QuadraticCases
{
    [CaseFor(typeof(Tensor), nameof(Tensor.QuadraticNeuron))]
    static OperationCall PointWise(Dice dice)
    {
        var (layout, normalized) = Neurons(dice);
        return new([dice.Values([.. dice.Shape(0, 3), layout.Channels]), Lambda(dice, layout)],
            x => x[0].QuadraticNeuron(x[1], layout, normalized), $"{layout}, normalized {normalized}")
        {
            Oracle = x => Epilogue(x[0], x[1], layout.Rank, normalized),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.QuadraticNeuron))]
    static OperationCall Dense(Dice dice)
    {
        var (layout, normalized) = Neurons(dice);
        var inputs = dice.Extent(6);
        return new([dice.Values([dice.Extent(4), inputs]), dice.Values([inputs, layout.Channels], -0.5, 0.5), dice.Values([layout.Channels]), Lambda(dice, layout)],
            x => x[0].MatMul(x[1], bias: x[2]).QuadraticNeuron(x[3], layout, normalized), $"{layout}, normalized {normalized}")
        {
            Oracle = x => Epilogue(ProjectionCases.Product(x[0], x[1], x[2]), x[3], layout.Rank, normalized),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.QuadraticNeuron))]
    static OperationCall Convolution(Dice dice)
    {
        var (layout, normalized) = Neurons(dice);
        int inputs = dice.Between(1, 3), stride = dice.Between(1, 2);
        return new([dice.Values([1, dice.Between(3, 5), dice.Between(3, 5), inputs]), dice.Values([3, 3, inputs, layout.Channels], -0.3, 0.3), Lambda(dice, layout)],
            x => x[0].Conv2d(x[1], stride: stride, padding: 1).QuadraticNeuron(x[2], layout, normalized), $"{layout}, normalized {normalized}, stride {stride}")
        {
            Oracle = x => Epilogue(ProjectionCases.Convolve(x[0], x[1], null, stride, 1, 1, 1), x[2], layout.Rank, normalized),
        };
    }

    static (NeuronLayout, bool) Neurons(Dice dice) => (new NeuronLayout(dice.OneOf(1, 2, 5, 7, 16, 17, 20), dice.OneOf(0, 1, 2, 3, 7, 9, 15)), dice.Coin());

    static Tensor Lambda(Dice dice, NeuronLayout layout) => dice.Values([layout.Coefficients]);

    /// <summary>Computes [y, f_1..f_k] neuron by neuron, y = z_0 + s sum_i lambda_i f_i^2. The last neuron has the remaining channels.</summary>
    internal static Array64 Epilogue(Array64 z, Array64 lambda, int rank, bool normalized)
    {
        var channels = z.Shape.Channels;
        return Array64.From(z.Shape, at =>
        {
            if (at[^1] % (rank + 1) != 0) return z[at];
            var k = Math.Min(rank, channels - at[^1] - 1);
            var coefficient = at[^1] / (rank + 1) * rank;
            var sum = 0.0;
            for (var i = 1; i <= k; i++) sum += lambda[coefficient + i - 1] * Math.Pow(z[[.. at[..^1], at[^1] + i]], 2);
            return z[at] + (normalized && k > 0 ? sum / k : sum);
        });
    }
}
