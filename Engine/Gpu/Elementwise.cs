using ILGPU;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Unary<TOp>(Operand x, Operand y) => Each(new Unary<TOp>(x.View(), y.View()), y.Length);

    public override void UnaryBackward<TOp>(Operand dy, Operand? x, Operand? y, Operand dx) =>
        Each(new UnaryGradient<TOp>(dy.View(), new(x, dy.View()), new(y, dy.View()), dx.View()), dx.Length);

    public override void Binary<TOp>(Operand a, Operand b, Operand y)
    {
        if (a.Shape == b.Shape) Each(new Binary<TOp>(a.View(), b.View(), y.View()), y.Length);
        else Each(new BinaryBroadcast<TOp>(a.View(), b.View(), y.View(), Broadcast(a, b, y.Shape, TOp.Name)), y.Length);
    }

    public override void BinaryBackward<TOp>(Operand dy, Operand? a, Operand? b, Operand? y, Operand? da, Operand? db) =>
        Each<BinaryGradient<TOp>, Pair>(new BinaryGradient<TOp>(dy.View(), new(a, dy.View()), new(b, dy.View()), new(y, dy.View()),
            new(da, dy.View()), new(db, dy.View()), Broadcast(a ?? dy, b ?? dy, dy.Shape, TOp.Name)), dy.Length);

    public override void BinaryScalar<TOp>(Operand x, float b, Operand y) => Each(new BinaryScalar<TOp>(x.View(), b, y.View()), y.Length);

    public override void BinaryScalarBackward<TOp>(Operand dy, Operand? x, float b, Operand? y, Operand dx) =>
        Each(new BinaryScalarGradient<TOp>(dy.View(), new(x, dy.View()), b, new(y, dy.View()), dx.View()), dx.Length);

    public override void AddScaled(float alpha, Operand x, float beta, Operand y) => Each(new ScaledSum(alpha, x.View(), beta, y.View()), y.Length);

    static Strides Broadcast(Operand a, Operand b, Shape shape, string operation)
    {
        return new Strides(shape, Within(a.Shape), Within(b.Shape), operation);

        // Strides of an operand along the axes of the result: 0 where the operand is repeated.
        int[] Within(Shape operand)
        {
            var own = operand.Strides();
            var strides = new int[shape.Rank];
            for (var axis = 1; axis <= operand.Rank; axis++) strides[^axis] = operand[^axis] == 1 ? 0 : own[^axis];
            return strides;
        }
    }
}

/// <summary>y = F(x). Floor: one read, one write.</summary>
readonly struct Unary<TOp>(ArrayView<float> x, ArrayView<float> y) : IPointwise<float> where TOp : struct, IUnaryOp<TOp>
{
    public float Compute(int i) => TOp.F(x[i]);

    public void Store(int i, float value) => y[i] = value;
}

static class Gradient
{
    /// <summary>The product of dy and a derivative. If dy is 0 the product is 0, even if the derivative is infinite or NaN.</summary>
    public static float Of(float dy, float product) => dy == 0f ? 0f : product;
}

/// <summary>dx = dy F'(x, y).</summary>
readonly struct UnaryGradient<TOp>(ArrayView<float> dy, Optional x, Optional y, ArrayView<float> dx) : IPointwise<float> where TOp : struct, IUnaryOp<TOp>
{
    public float Compute(int i) => Gradient.Of(dy[i], dy[i] * TOp.Derivative(x.Or(i, 0f), y.Or(i, 0f)));

    public void Store(int i, float value) => dx[i] = value;
}

/// <summary>y = F(a, b) of operands of one shape.</summary>
readonly struct Binary<TOp>(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y) : IPointwise<float> where TOp : struct, IBinaryOp<TOp>
{
    public float Compute(int i) => TOp.F(a[i], b[i]);

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>y = F(a, b), operands repeated to the shape of y.</summary>
readonly struct BinaryBroadcast<TOp>(ArrayView<float> a, ArrayView<float> b, ArrayView<float> y, Strides strides) : IPointwise<float> where TOp : struct, IBinaryOp<TOp>
{
    public float Compute(int i)
    {
        var at = strides.Of(i);
        return TOp.F(a[at.A], b[at.B]);
    }

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>da = dy dF/da, db = dy dF/db; each only if it is needed.</summary>
readonly struct BinaryGradient<TOp>(ArrayView<float> dy, Optional a, Optional b, Optional y, Optional da, Optional db, Strides strides) : IPointwise<Pair>
    where TOp : struct, IBinaryOp<TOp>
{
    public Pair Compute(int i)
    {
        var at = strides.Of(i);
        float av = a.Or(at.A, 0f), bv = b.Or(at.B, 0f), yv = y.Or(i, 0f), d = dy[i];
        return new Pair(Gradient.Of(d, TOp.IsLinearInA ? TOp.F(d, bv) : d * TOp.DerivativeA(av, bv, yv)), Gradient.Of(d, d * TOp.DerivativeB(av, bv, yv)));
    }

    public void Store(int i, Pair value)
    {
        da.Set(i, value.A);
        db.Set(i, value.B);
    }
}

/// <summary>y = F(x, b) with one number b.</summary>
readonly struct BinaryScalar<TOp>(ArrayView<float> x, float b, ArrayView<float> y) : IPointwise<float> where TOp : struct, IBinaryOp<TOp>
{
    public float Compute(int i) => TOp.F(x[i], b);

    public void Store(int i, float value) => y[i] = value;
}

/// <summary>dx = dy dF/dx(x, b, y).</summary>
readonly struct BinaryScalarGradient<TOp>(ArrayView<float> dy, Optional x, float b, Optional y, ArrayView<float> dx) : IPointwise<float> where TOp : struct, IBinaryOp<TOp>
{
    public float Compute(int i) => Gradient.Of(dy[i], dy[i] * TOp.DerivativeA(x.Or(i, 0f), b, y.Or(i, 0f)));

    public void Store(int i, float value) => dx[i] = value;
}

/// <summary>y = alpha x + beta y; y is not read if beta is 0.</summary>
readonly struct ScaledSum(float alpha, ArrayView<float> x, float beta, ArrayView<float> y) : IPointwise<float>
{
    public float Compute(int i) => alpha * x[i] + (beta == 0f ? 0f : beta * y[i]);

    public void Store(int i, float value) => y[i] = value;
}
