namespace QuadEngine.Tests.Operations;

/// <summary>Matrix products and convolutions.</summary>
static class ProjectionCases
{
    [CaseFor(typeof(Tensor), nameof(Tensor.MatMul))]
    static OperationCall MatMulBatched(Dice dice)
    {
        int[] leading = [.. dice.Shape(1, 2)];
        int m = dice.Extent(5), k = dice.Extent(6), n = dice.Extent(5);
        return new([dice.Values([.. leading, m, k]), dice.Values([.. leading, k, n])], x => x[0].MatMul(x[1])) { Oracle = x => Product(x[0], x[1], null) };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.MatMul))]
    static OperationCall MatMulShared(Dice dice)
    {
        int[] leading = [.. dice.Shape(1, 3)];
        int k = dice.Extent(6), n = dice.Extent(5);
        return new([dice.Values([.. leading, k]), dice.Values([k, n]), dice.Values([n])], x => x[0].MatMul(x[1], bias: x[2]), "bias")
        {
            Oracle = x => Product(x[0], x[1], x[2]),
        };
    }

    // Matrices, batches of matrices, and a batch with a single matrix on the right; each operand may be stored transposed.
    [CaseFor(typeof(Tensor), nameof(Tensor.MatMul))]
    static OperationCall MatMulTransposed(Dice dice)
    {
        int[] leading = [.. dice.Shape(0, 2)], ofRight = dice.Coin() ? leading : [];
        int m = dice.Extent(5), k = dice.Extent(6), n = dice.Extent(5);
        var (transposeA, transposeB) = dice.OneOf((true, false), (false, true), (true, true));
        int[] a = transposeA ? [k, m] : [m, k], b = transposeB ? [n, k] : [k, n];
        return new([dice.Values([.. leading, .. a]), dice.Values([.. ofRight, .. b]), dice.Values([n])],
            x => dice.Seed % 2 == 0 ? x[0].MatMul(x[1], bias: x[2], transposeThis: transposeA, transposeOther: transposeB) : x[0].MatMul(x[1], transposeA, transposeB) + x[2], $"transposed {transposeA}, {transposeB}")
        {
            Oracle = x => Product(transposeA ? Transposed(x[0]) : x[0], transposeB ? Transposed(x[1]) : x[1], x[2]),
        };
    }

    static Array64 Transposed(Array64 x) => Array64.From([.. x.Shape.SkipLast(2), x.Shape[^1], x.Shape[^2]], at => x[[.. at[..^2], at[^1], at[^2]]]);

    [CaseFor(typeof(Tensor), nameof(Tensor.Conv2d))]
    static OperationCall Convolution(Dice dice)
    {
        var groups = dice.OneOf(1, 1, 1, 2, 3);
        return Convolution(dice, groups * dice.Extent(3), groups * dice.Extent(3), groups, dice.Coin());
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.Conv2d))]
    static OperationCall ConvolutionDepthwise(Dice dice)
    {
        var channels = dice.Between(1, 5);
        return Convolution(dice, channels, channels * dice.OneOf(1, 1, 2), channels, dice.Coin());
    }

    // The vectors of a kernel have at most 16 floats. The extents are one vector, several vectors, and vectors with a rest.
    [CaseFor(typeof(Tensor), nameof(Tensor.Conv2d))]
    static OperationCall ConvolutionWide(Dice dice) => Convolution(dice, dice.OneOf(3, 16, 17, 32), dice.OneOf(16, 31, 33, 48), 1, dice.Coin());

    static OperationCall Convolution(Dice dice, int inChannels, int outChannels, int groups, bool bias)
    {
        int kH = dice.Between(1, 3), kW = dice.Coin() ? kH : dice.Between(1, 3), stride = dice.Between(1, 3), padding = dice.Between(0, 2), dilation = dice.OneOf(1, 1, 2);
        int Side(int kernel) => Math.Max(1, dilation * (kernel - 1) + 1 - 2 * padding) + dice.Between(0, 5);
        Tensor x = dice.Values([dice.Between(1, 2), Side(kH), Side(kW), inChannels]), filter = dice.Values([kH, kW, inChannels / groups, outChannels], -0.5, 0.5);
        return new(bias ? [x, filter, dice.Values([outChannels])] : [x, filter],
            x => x[0].Conv2d(x[1], bias ? x[2] : null, stride, padding, dilation, groups), $"stride {stride}, padding {padding}, dilation {dilation}, groups {groups}")
        {
            Oracle = x => Convolve(x[0], x[1], bias ? x[2] : null, stride, padding, dilation, groups),
        };
    }

    /// <summary>The convolution as seven loops.</summary>
    internal static Array64 Convolve(Array64 x, Array64 filter, Array64? bias, int stride, int padding, int dilation, int groups)
    {
        int kH = filter.Shape[0], kW = filter.Shape[1], perGroup = filter.Shape[2], outChannels = filter.Shape[3];
        int Positions(int extent, int kernel) => (extent + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
        return Array64.From([x.Shape[0], Positions(x.Shape[1], kH), Positions(x.Shape[2], kW), outChannels], at =>
        {
            var (n, co) = (at[0], at[3]);
            var sum = bias is null ? 0 : bias[co];
            for (var kh = 0; kh < kH; kh++)
                for (var kw = 0; kw < kW; kw++)
                {
                    int ih = at[1] * stride + kh * dilation - padding, iw = at[2] * stride + kw * dilation - padding;
                    if (ih < 0 || iw < 0 || ih >= x.Shape[1] || iw >= x.Shape[2]) continue;
                    for (var ci = 0; ci < perGroup; ci++) sum += x[n, ih, iw, co / (outChannels / groups) * perGroup + ci] * filter[kh, kw, ci, co];
                }

            return sum;
        });
    }

    internal static Array64 Product(Array64 a, Array64 b, Array64? bias) => Array64.From([.. a.Shape.SkipLast(1), b.Shape[^1]], at =>
    {
        var sum = bias is null ? 0 : bias[at[^1]];
        for (var k = 0; k < a.Shape[^1]; k++) sum += a[[.. at[..^1], k]] * (b.Shape.Rank == 2 ? b[k, at[^1]] : b[[.. at[..^2], k, at[^1]]]);
        return sum;
    });
}
