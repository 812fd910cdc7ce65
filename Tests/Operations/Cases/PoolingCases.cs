namespace QuadEngine.Tests.Operations;

/// <summary>Pooling over windows.</summary>
static class PoolingCases
{
    [CaseFor(typeof(Tensor), nameof(Tensor.MaxPool2d))]
    static OperationCall Max(Dice dice)
    {
        int kernel = dice.Between(1, 3), stride = dice.Between(0, 3), padding = dice.Between(0, kernel / 2), dilation = dice.OneOf(1, 1, 2);
        // Values that a step does not reorder, in each plane of an image.
        var shape = Images(dice, dilation * (kernel - 1) + 1);
        float[][] planes = [.. Enumerable.Range(0, shape[0] * shape[3]).Select(_ => dice.Distinct(shape[1] * shape[2]))];
        var x = Tensor.FromArray([.. Array64.Indices(shape).Select(at => planes[at[0] * shape[3] + at[3]][at[1] * shape[2] + at[2]])], shape);
        return new([x], x => x[0].MaxPool2d(kernel, stride, padding, dilation), $"kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}")
        {
            Oracle = x => Pool(x[0], kernel, stride, padding, dilation, values => values.Max()),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.AvgPool2d))]
    static OperationCall Average(Dice dice)
    {
        int kernel = dice.Between(1, 3), stride = dice.Between(0, 3), padding = dice.Between(0, kernel / 2);
        return new([dice.Values(Images(dice, kernel))], x => x[0].AvgPool2d(kernel, stride, padding), $"kernel {kernel}, stride {stride}, padding {padding}")
        {
            Oracle = x => Pool(x[0], kernel, stride, padding, 1, values => values.Sum() / (kernel * kernel)),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.GlobalAvgPool2d))]
    static OperationCall GlobalAverage(Dice dice) => new([dice.Values(Images(dice, 1))], x => x[0].GlobalAvgPool2d())
    {
        Oracle = x => Array64.From([x[0].Shape[0], x[0].Shape[3]], at =>
            Array64.Indices([x[0].Shape[1], x[0].Shape[2]]).Average(pixel => x[0][at[0], pixel[0], pixel[1], at[1]])),
    };

    [CaseFor(typeof(Tensor), nameof(Tensor.Unfold))]
    static OperationCall Windows(Dice dice)
    {
        int kernel = dice.Between(1, 3), stride = dice.Between(1, 3), padding = dice.Between(0, 2), dilation = dice.OneOf(1, 1, 2);
        var x = dice.Values(Images(dice, dilation * (kernel - 1) + 1));
        int Positions(int extent) => (extent + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
        return new([x], x => x[0].Unfold(kernel, stride, padding, dilation), $"kernel {kernel}, stride {stride}, padding {padding}, dilation {dilation}")
        {
            Oracle = x => Array64.From([x[0].Shape[0], Positions(x[0].Shape[1]), Positions(x[0].Shape[2]), kernel * kernel * x[0].Shape[3]], at =>
            {
                var (tap, channel) = Math.DivRem(at[3], x[0].Shape[3]);
                int row = at[1] * stride + tap / kernel * dilation - padding, column = at[2] * stride + tap % kernel * dilation - padding;
                return row >= 0 && column >= 0 && row < x[0].Shape[1] && column < x[0].Shape[2] ? x[0][at[0], row, column, channel] : 0;
            }),
        };
    }

    static Shape Images(Dice dice, int window) => [dice.Between(1, 2), window + dice.Between(0, 4), window + dice.Between(0, 4), dice.OneOf(1, 2, 5, 16, 19)];

    // Collects only pixels of the image, because padding is never the largest and adds 0 to a sum.
    static Array64 Pool(Array64 x, int kernel, int stride, int padding, int dilation, Func<List<double>, double> fold)
    {
        if (stride == 0) stride = kernel;
        int Positions(int extent) => (extent + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
        return Array64.From([x.Shape[0], Positions(x.Shape[1]), Positions(x.Shape[2]), x.Shape[3]], at =>
        {
            var values = new List<double>();
            foreach (var k in Array64.Indices([kernel, kernel]))
            {
                int ih = at[1] * stride + k[0] * dilation - padding, iw = at[2] * stride + k[1] * dilation - padding;
                if (ih >= 0 && iw >= 0 && ih < x.Shape[1] && iw < x.Shape[2]) values.Add(x[at[0], ih, iw, at[3]]);
            }

            return fold(values);
        });
    }
}
