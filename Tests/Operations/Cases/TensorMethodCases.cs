namespace QuadEngine.Tests.Operations;

/// <summary>The methods and operators of a tensor for element-wise operations, each with its formula in double.</summary>
static class TensorMethodCases
{
    /// <summary>A method, and the same function in double.</summary>
    sealed record Row(string Method, Func<Tensor[], Tensor> Apply, Func<double[], double> Formula, int Inputs = 1, double Low = -1.5, double High = 1.5, double Gap = 0);

    static readonly Row[] Rows =
    [
        new("op_Addition", x => x[0] + x[1], x => x[0] + x[1], 2),
        new("op_Addition", x => x[0] + 0.7f, x => x[0] + 0.7f),
        new("op_Addition", x => 0.7f + x[0], x => x[0] + 0.7f),
        new("op_Subtraction", x => x[0] - x[1], x => x[0] - x[1], 2),
        new("op_Subtraction", x => x[0] - 0.7f, x => x[0] - 0.7f),
        new("op_Subtraction", x => 0.7f - x[0], x => 0.7f - x[0]),
        new("op_Multiply", x => x[0] * x[1], x => x[0] * x[1], 2),
        new("op_Multiply", x => x[0] * x[0], x => x[0] * x[0]),
        new("op_Multiply", x => x[0] * -0.7f, x => x[0] * -0.7f),
        new("op_Multiply", x => x[0] * 1f, x => x[0]),
        new("op_Multiply", x => 0.7f * x[0], x => x[0] * 0.7f),
        new("op_Division", x => x[0] / x[1], x => x[0] / x[1], 2, Gap: 0.5),
        new("op_Division", x => x[0] / 0.7f, x => x[0] / 0.7f),
        new("op_Division", x => 0.7f / x[0], x => 0.7f / x[0], Gap: 0.5),
        new("op_UnaryNegation", x => -x[0], x => -x[0]),
        new(nameof(Tensor.Pow), x => x[0].Pow(x[1]), x => Math.Pow(x[0], x[1]), 2, Low: 0.5, High: 2),
        new(nameof(Tensor.Pow), x => x[0].Pow(3f), x => x[0] * x[0] * x[0]),
        new(nameof(Tensor.Pow), x => x[0].Pow(-0.5f), x => 1 / Math.Sqrt(x[0]), Low: 0.5, High: 2),
        new(nameof(Tensor.Exp), x => x[0].Exp(), x => Math.Exp(x[0])),
        new(nameof(Tensor.Log), x => x[0].Log(), x => Math.Log(x[0]), Low: 0.5, High: 3),
        new(nameof(Tensor.Expm1), x => x[0].Expm1(), x => Math.Exp(x[0]) - 1),
        new(nameof(Tensor.Log1p), x => x[0].Log1p(), x => Math.Log(1 + x[0]), Low: -0.4, High: 3),
        new(nameof(Tensor.Sin), x => x[0].Sin(), x => Math.Sin(x[0]), Low: -5, High: 5),
        new(nameof(Tensor.Cos), x => x[0].Cos(), x => Math.Cos(x[0]), Low: -5, High: 5),
        new(nameof(Tensor.Sign), x => x[0].Sign() * x[1], x => Math.Sign(x[0]) * x[1], 2, Gap: 0.3),
        new(nameof(Tensor.Sqrt), x => x[0].Sqrt(), x => Math.Sqrt(x[0]), Low: 0.5, High: 3),
        new(nameof(Tensor.Square), x => x[0].Square(), x => x[0] * x[0]),
        new(nameof(Tensor.Abs), x => x[0].Abs(), x => Math.Abs(x[0]), Gap: 0.2),
        new(nameof(Tensor.Tanh), x => x[0].Tanh(), x => Math.Tanh(x[0]), High: 4),
        new(nameof(Tensor.Sigmoid), x => x[0].Sigmoid(), x => 1 / (1 + Math.Exp(-x[0])), High: 4),
        new(nameof(Tensor.Relu), x => x[0].Relu(), x => Math.Max(x[0], 0), Gap: 0.2),
        new(nameof(Tensor.Relu6), x => x[0].Relu6(), x => Math.Max(x[0], 0), Gap: 0.2),
        new(nameof(Tensor.Relu6), x => (x[0] * 20f).Relu6(), x => Math.Clamp(x[0] * 20, 0, 6), Gap: 0.5),
        new(nameof(Tensor.HardSigmoid), x => x[0].HardSigmoid(), x => (x[0] + 3) / 6),
        new(nameof(Tensor.HardSigmoid), x => (x[0] * 20f).HardSigmoid(), x => x[0] > 0 ? 1 : 0, Gap: 0.5),
        new(nameof(Tensor.HardSwish), x => x[0].HardSwish(), x => x[0] * (x[0] + 3) / 6),
        new(nameof(Tensor.HardSwish), x => (x[0] * 20f).HardSwish(), x => Math.Max(x[0] * 20, 0), Gap: 0.5),
        new(nameof(Tensor.LeakyRelu), x => x[0].LeakyRelu(), x => x[0] > 0 ? x[0] : 0.01f * x[0], Gap: 0.2),
        new(nameof(Tensor.LeakyRelu), x => x[0].LeakyRelu(0.3f), x => x[0] > 0 ? x[0] : 0.3f * x[0], Gap: 0.2),
        new(nameof(Tensor.Silu), x => x[0].Silu(), x => x[0] / (1 + Math.Exp(-x[0])), High: 4),
        new(nameof(Tensor.Gelu), x => x[0].Gelu(), x => x[0] * Phi(x[0]), High: 3),
        new(nameof(Tensor.Softplus), x => x[0].Softplus(), x => Math.Log(1 + Math.Exp(x[0])), Gap: 0.2, High: 4),
        new(nameof(Tensor.Maximum), x => x[0].Maximum(x[1].Abs() + 2f), x => Math.Max(x[0], Math.Abs(x[1]) + 2), 2, Gap: 0.2),
        new(nameof(Tensor.Maximum), x => x[0].Maximum(0f), x => Math.Max(x[0], 0), Gap: 0.2),
        new(nameof(Tensor.Minimum), x => x[0].Minimum(x[1].Abs() + 2f), x => Math.Min(x[0], Math.Abs(x[1]) + 2), 2, Gap: 0.2),
        new(nameof(Tensor.Minimum), x => x[0].Minimum(0f), x => Math.Min(x[0], 0), Gap: 0.2),
        new(nameof(Tensor.Clamp), x => (x[0] * 4f).Clamp(-0.7f, 0.7f), x => Math.Clamp(x[0] * 4, -0.7f, 0.7f), Gap: 0.3),
        new(nameof(Tensor.Clamp), x => (x[0] * 0.25f).Clamp(-0.7f, 0.7f), x => x[0] * 0.25),
        new(nameof(Tensor.Greater), x => x[0].Greater(0f) * x[0] * x[1], x => x[0] > 0 ? x[0] * x[1] : 0, 2, Gap: 0.2),
        new(nameof(Tensor.Greater), x => x[0].Greater(x[1].Abs() - 4f) * x[1], x => x[1], 2),
        new(nameof(Tensor.GreaterEqual), x => x[0].GreaterEqual(0f) * x[1], x => x[0] >= 0 ? x[1] : 0, 2, Gap: 0.3),
        new(nameof(Tensor.GreaterEqual), x => x[0].GreaterEqual(x[0]) * x[0], x => x[0]),
        new(nameof(Tensor.Less), x => x[0].Less(0f) * x[1], x => x[0] < 0 ? x[1] : 0, 2, Gap: 0.3),
        new(nameof(Tensor.Less), x => x[0].Less(x[1].Abs() + 4f) * x[1], x => x[1], 2),
        new(nameof(Tensor.LessEqual), x => x[0].LessEqual(0f) * x[1], x => x[0] <= 0 ? x[1] : 0, 2, Gap: 0.3),
        new(nameof(Tensor.LessEqual), x => x[0].LessEqual(x[0]) * x[0], x => x[0]),
        new(nameof(Tensor.Equal), x => x[0].Equal(x[0]) * x[0], x => x[0]),
        new(nameof(Tensor.Equal), x => x[0].Greater(0f).Equal(1f) * x[1], x => x[0] > 0 ? x[1] : 0, 2, Gap: 0.3),
        new(nameof(Tensor.NotEqual), x => x[0].NotEqual(x[1].Abs() + 4f) * x[1], x => x[1], 2),
        new(nameof(Tensor.NotEqual), x => x[0].Greater(0f).NotEqual(1f) * x[1], x => x[0] > 0 ? 0 : x[1], 2, Gap: 0.3),
        new(nameof(Tensor.Where), x => x[0].Greater(0f).Where(x[0] * x[1], x[1].Square()), x => x[0] > 0 ? x[0] * x[1] : x[1] * x[1], 2, Gap: 0.2),
    ];

    /// <summary>The methods covered, as <see cref="CaseForAttribute.Operation"/>.</summary>
    public static IEnumerable<string> Covered => Rows.Select(row => $"{nameof(Tensor)}.{row.Method}");

    public static IEnumerable<OperationCase> All() =>
        Rows.Select((row, number) => new OperationCase($"{nameof(Tensor)}.{row.Method}.{Rows.Take(number).Count(before => before.Method == row.Method) + 1}", dice => Draw(row, dice)));

    static OperationCall Draw(Row row, Dice dice)
    {
        var shape = dice.Shape();
        var inputs = Enumerable.Range(0, row.Inputs)
            .Select(_ => dice.Coin() ? shape : dice.Broadcastable(shape))
            .Select(own => row.Gap > 0 ? dice.AwayFromZero(own, row.Gap, row.High) : dice.Values(own, row.Low, row.High)).ToArray();
        return new(inputs, row.Apply)
        {
            Oracle = x => Array64.From(x.Select(input => input.Shape).Aggregate((a, b) => Shape.Broadcast(a, b, row.Method)),
                at => row.Formula([.. x.Select(input => input.Broadcast(at))])),
        };
    }

    // The distribution function of the normal distribution, by its series 1/2 + phi(x) (x + x^3/3 + x^5/15 + ...).
    static double Phi(double x)
    {
        double term = x, sum = x;
        for (var n = 3; n < 100; n += 2) sum += term *= x * x / n;
        return 0.5 + sum * Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
    }
}
