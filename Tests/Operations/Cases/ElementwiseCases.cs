namespace QuadEngine.Tests.Operations;

/// <summary>
/// Calls of any element-wise struct. Trials find the values at which it is defined and smooth: a value is usable if the differences of
/// <see cref="GradCheck"/> there are finite and do not change with half the step.
/// </summary>
public static class ElementwiseCases
{
    const double Step = 0.02;
    const int PoolSize = 8;

    public static OperationCall Unary<TOp>(Dice dice) where TOp : struct, IUnaryOp<TOp>
    {
        var values = Pool(TOp.Name, dice, x => IsSmooth(TOp.F, x));
        return new([Pick(dice, dice.Shape(), values)], inputs => Elementwise.Apply<TOp>(inputs[0]))
        {
            Oracle = x => Array64.From(x[0].Shape, index => TOp.F((float)x[0][index])),
        };
    }

    /// <summary>Draws shapes for every kind of broadcasting: equal shapes, axes of extent 1 on either side, missing axes, scalars.</summary>
    public static OperationCall Binary<TOp>(Dice dice) where TOp : struct, IBinaryOp<TOp>
    {
        var (left, right) = Pools<TOp>(dice);
        var shape = dice.Shape();
        Shape a = dice.Coin() ? shape : dice.Broadcastable(shape), b = dice.Coin() ? shape : dice.Broadcastable(shape);
        return new([Pick(dice, a, left), Pick(dice, b, right)], inputs => Elementwise.Apply<TOp>(inputs[0], inputs[1]))
        {
            Oracle = x => Array64.From(Shape.Broadcast(a, b, TOp.Name), index => TOp.F((float)x[0].Broadcast(index), (float)x[1].Broadcast(index))),
        };
    }

    public static OperationCall BinaryScalar<TOp>(Dice dice) where TOp : struct, IBinaryOp<TOp>
    {
        var (left, right) = Pools<TOp>(dice);
        var b = dice.OneOf<float>(right);
        return new([Pick(dice, dice.Shape(), left)], inputs => Elementwise.Apply<TOp>(inputs[0], b), $"{b}")
        {
            Oracle = x => Array64.From(x[0].Shape, index => TOp.F((float)x[0][index], b)),
        };
    }

    // All pairs of values from the two pools are usable, so that broadcasting may combine them freely. 0 is tried first, because conditions treat it specially.
    static (float[] Left, float[] Right) Pools<TOp>(Dice dice) where TOp : struct, IBinaryOp<TOp>
    {
        bool Serves(float a, float b) => IsSmooth(x => TOp.F(x, b), a) && IsSmooth(x => TOp.F(a, x), b);
        var right = Pool(TOp.Name, dice, b => Enumerable.Range(1, 4).All(a => Serves(3f + a, b)), size: 3, first: 0f);
        return (Pool(TOp.Name, dice, a => right.All(b => Serves(a, b))), right);
    }

    static float[] Pool(string name, Dice dice, Predicate<float> serves, int size = PoolSize, float first = 1f)
    {
        var pool = new List<float>();
        for (var tries = 0; pool.Count < size; tries++)
        {
            if (tries == 1000) throw new InvalidOperationException($"{name}: found only {pool.Count} values between -3 and 3 at which it is finite and smooth.");
            var value = tries == 0 ? first : (float)dice.Number(-3, 3);
            // A kink exactly between the steps looks smooth. Kinks are at 0 or at equal operands.
            if (serves(value) && serves(value + 0.07f) && serves(value - 0.07f)) pool.Add(value);
        }

        return [.. pool];
    }

    static bool IsSmooth(Func<float, float> f, float x)
    {
        double coarse = Difference(f, x, Step * Math.Max(1, Math.Abs(x))), fine = Difference(f, x, Step / 2 * Math.Max(1, Math.Abs(x)));
        return Math.Abs(coarse - fine) < 2e-4 * Math.Max(1, Math.Abs(coarse)) && Math.Abs(coarse) < 20;
    }

    static double Difference(Func<float, float> f, float x, double h)
    {
        double sum = 0;
        double[] weights = [4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280];
        for (var j = 1; j <= 4; j++) sum += weights[j - 1] * ((double)f((float)(x + j * h)) - f((float)(x - j * h))) / h;
        return sum;
    }

    static Tensor Pick(Dice dice, Shape shape, float[] values) => Tensor.FromArray([.. Enumerable.Range(0, shape.Elements).Select(_ => dice.OneOf<float>(values))], shape);
}
