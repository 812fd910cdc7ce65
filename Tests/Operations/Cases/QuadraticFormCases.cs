namespace QuadEngine.Tests.Operations;

/// <summary>Full quadratic forms, and their symmetric matrices.</summary>
static class QuadraticFormCases
{
    // The function makes the matrix symmetric, because differences change one element, and the gradient of x requires symmetry.
    [CaseFor(typeof(Tensor), nameof(Tensor.QuadraticForm))]
    static OperationCall Form(Dice dice)
    {
        int n = dice.Extent(5), channels = dice.Extent(3);
        return new([dice.Values([.. dice.Shape(0, 2), n]), dice.Values([channels, n, n])], x => x[0].QuadraticForm((x[1] + x[1].Transpose(0, 2, 1)) * 0.5f))
        {
            Oracle = x => Array64.From([.. x[0].Shape.SkipLast(1), channels], at =>
                Array64.Indices([n, n]).Sum(place => x[0][[.. at[..^1], place[0]]] * x[1][at[^1], place[0], place[1]] * x[0][[.. at[..^1], place[1]]])),
        };
    }

    [CaseFor(typeof(Tensor), nameof(Tensor.UnpackSymmetric))]
    static OperationCall Unpack(Dice dice)
    {
        int n = dice.Extent(5), channels = dice.Extent(3);
        return new([dice.Values([n * (n + 1) / 2, channels])], x => x[0].UnpackSymmetric(n).Square())
        {
            Oracle = x => Array64.From([channels, n, n], at =>
            {
                int row = Math.Min(at[1], at[2]), column = Math.Max(at[1], at[2]);
                return Math.Pow(x[0][Enumerable.Range(0, row).Sum(above => n - above) + column - row, at[0]], 2);
            }),
        };
    }
}
