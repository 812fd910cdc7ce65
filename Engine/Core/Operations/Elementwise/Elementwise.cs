namespace QuadEngine.Operations;

/// <summary>Runs any element-wise operation: the forward, and the backward that its struct describes.</summary>
public static class Elementwise
{
    /// <summary>y = F(x).</summary>
    /// <param name="x">A tensor of any shape; y has the same shape.</param>
    public static Tensor Apply<TOp>(Tensor x) where TOp : struct, IUnaryOp<TOp>
    {
        if (FusionTable.Join<TOp>(x) is not { } y)
        {
            y = Tensor.Like(x);
            x.Device.Backend.Unary<TOp>(x, y);
        }

        return y.RequiresGrad ? y : y.WithBackward(TOp.Name, [x], [If(TOp.Saves, Saves.Input, x), If(TOp.Saves, Saves.Output, y)], static (dy, saved) =>
        {
            var dx = Tensor.Like(dy);
            dy.Device.Backend.UnaryBackward<TOp>(dy, saved.Optional(0), saved.Optional(1), dx);
            return [dx];
        });
    }

    /// <summary>y = F(a, b). The shapes broadcast.</summary>
    /// <param name="a">The first operand of F.</param>
    /// <param name="b">The second operand, on the same device.</param>
    /// <exception cref="ArgumentException">The shapes do not broadcast, or the devices differ.</exception>
    public static Tensor Apply<TOp>(Tensor a, Tensor b) where TOp : struct, IBinaryOp<TOp>
    {
        Check.SameDevice(TOp.Name, a, b);
        if ((TOp.IsSum ? FusionTable.JoinSum(a, b) : null) is not { } y)
        {
            y = Tensor.Empty(Shape.Broadcast(a.Shape, b.Shape, TOp.Name), a.Device);
            a.Device.Backend.Binary<TOp>(a, b, y);
            if (typeof(TOp) == typeof(MultiplyOp)) MultiplyAddCounter.Add(y.Length);
        }

        if (y.RequiresGrad || TOp.Coefficients == (0f, 0f)) return y;
        Shape shapeA = a.Shape, shapeB = b.Shape;
        return y.WithBackward(TOp.Name, [a, b], [If(TOp.Saves, Saves.Input, a), If(TOp.Saves, Saves.Input, b), If(TOp.Saves, Saves.Output, y)], (dy, saved) =>
        {
            if (TOp.Coefficients is { } linear)
                return
                [
                    saved.IfNeeded(0, () => Scaled(Broadcasting.SumTo(dy, shapeA), linear.A)),
                    saved.IfNeeded(1, () => Scaled(Broadcasting.SumTo(dy, shapeB), linear.B)),
                ];

            Tensor? da = saved.IfNeeded(0, () => Tensor.Like(dy)), db = saved.IfNeeded(1, () => Tensor.Like(dy));
            dy.Device.Backend.BinaryBackward<TOp>(dy, saved.Optional(0), saved.Optional(1), saved.Optional(2), da, db);
            return [da is null ? null : Broadcasting.SumTo(da, shapeA), db is null ? null : Broadcasting.SumTo(db, shapeB)];
        });
    }

    /// <summary>y = F(x, b) with one number b.</summary>
    /// <param name="x">The first operand of F, a tensor of any shape; y has the same shape.</param>
    /// <param name="b">The second operand of F at every element. It gets no gradient.</param>
    public static Tensor Apply<TOp>(Tensor x, float b) where TOp : struct, IBinaryOp<TOp>
    {
        var y = Tensor.Like(x);
        x.Device.Backend.BinaryScalar<TOp>(x, b, y);
        if (TOp.Coefficients == (0f, 0f)) return y;
        if (TOp.IsLinearInA) return y.WithBackward(TOp.Name, [x], [], (dy, _) => [Linear(dy)]);
        return y.WithBackward(TOp.Name, [x], [If(TOp.Saves, Saves.Input, x), If(TOp.Saves, Saves.Output, y)], (dy, saved) =>
        {
            if (TOp.Coefficients is { } linear) return [Scaled(dy, linear.A)];
            var dx = Tensor.Like(dy);
            dy.Device.Backend.BinaryScalarBackward<TOp>(dy, saved.Optional(0), b, saved.Optional(1), dx);
            return [dx];
        });

        Tensor Linear(Tensor dy)
        {
            var dx = Tensor.Like(dy);
            dy.Device.Backend.BinaryScalar<TOp>(dy, b, dx);
            return dx;
        }
    }

    static Tensor Scaled(Tensor gradient, float factor) => factor == 1f ? gradient : gradient * factor;

    static Tensor? If(Saves all, Saves flag, Tensor tensor) => (all & flag) != 0 ? tensor : null;
}
