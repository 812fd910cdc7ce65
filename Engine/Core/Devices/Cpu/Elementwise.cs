using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floor: each tensor is read or written once. Broadcast operands are written out piece by piece into the L1 cache, so
// that one loop over contiguous memory serves every combination of shapes.
sealed unsafe partial class CpuKernels
{
    public override void Unary<TOp>(Operand x, Operand y) => Sweep.All(Mapped.Of(default(UnaryFunction<TOp>), y.Pointer(), x.Pointer()), y.Length);

    public override void UnaryBackward<TOp>(Operand dy, Operand? x, Operand? y, Operand dx) =>
        Sweep.All(Mapped.Of(default(UnaryGradient<TOp>), dx.Pointer(), dy.Pointer(), x.PointerOrNull(), y.PointerOrNull()), dx.Length);

    public override void Binary<TOp>(Operand a, Operand b, Operand y)
    {
        var result = y.Pointer();
        if (a.Shape == b.Shape)
        {
            Sweep.All(Mapped.Of(default(BinaryFunction<TOp>), result, a.Pointer(), b.Pointer()), y.Length);
            return;
        }

        BroadcastOperand.ForEachPiece(new(a, y.Shape), new(b, y.Shape), y.Length, (start, count, left, right) =>
            Sweep.Rows(Mapped.Of(default(BinaryFunction<TOp>), result + start, left, right), 0, count, count, 0));
    }

    public override void BinaryBackward<TOp>(Operand dy, Operand? a, Operand? b, Operand? y, Operand? da, Operand? db)
    {
        float* upstream = dy.Pointer(), output = y.PointerOrNull(), toLeft = da.PointerOrNull(), toRight = db.PointerOrNull();
        BroadcastOperand.ForEachPiece(new(a ?? dy, dy.Shape), new(b ?? dy, dy.Shape), dy.Length, (start, count, left, right) =>
        {
            float* d = upstream + start, y = output + start;
            if (toLeft != null) Sweep.Rows(Mapped.Of(default(BinaryGradientA<TOp>), toLeft + start, d, left, right, y), 0, count, count, 0);
            if (toRight != null) Sweep.Rows(Mapped.Of(default(BinaryGradientB<TOp>), toRight + start, d, left, right, y), 0, count, count, 0);
        });
    }

    public override void BinaryScalar<TOp>(Operand x, float b, Operand y) =>
        Sweep.All(Mapped.Of(new ScalarFunction<TOp>(b), y.Pointer(), x.Pointer()), y.Length);

    public override void BinaryScalarBackward<TOp>(Operand dy, Operand? x, float b, Operand? y, Operand dx) =>
        Sweep.All(Mapped.Of(new ScalarGradient<TOp>(b), dx.Pointer(), dy.Pointer(), x.PointerOrNull(), y.PointerOrNull()), dx.Length);

    public override void AddScaled(float alpha, Operand x, float beta, Operand y)
    {
        if (beta == 0f) Sweep.All(Mapped.Of(new Scaled(alpha), y.Pointer(), x.Pointer()), y.Length);
        else Sweep.All(Mapped.Of(new ScaledSum(alpha, beta), y.Pointer(), x.Pointer(), y.Pointer()), y.Length);
    }
}

/// <summary>A function of up to four operands, lane by lane. Operands that it does not read are 0.</summary>
interface ILaneFunction
{
    /// <summary>Bit i says whether operand i is read.</summary>
    static abstract int Reads { get; }

    /// <summary>The function.</summary>
    /// <param name="a">Operand 0, or 0 if <see cref="Reads"/> does not include it.</param>
    /// <param name="b">Operand 1, likewise.</param>
    /// <param name="c">Operand 2, likewise.</param>
    /// <param name="d">Operand 3, likewise.</param>
    T F<T>(T a, T b, T c, T d) where T : struct, IVector<T>;
}

/// <summary>y[i] = F(a[i], b[i], c[i], d[i]).</summary>
readonly unsafe struct Mapped<TFunction>(TFunction function, float* y, float* a, float* b, float* c, float* d) : IVectorKernel
    where TFunction : struct, ILaneFunction
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> => lanes.Store(y + i, Value<T, TLanes>(i, lanes));

    /// <summary>The function at element i and the elements after it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Value<T, TLanes>(nint i, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T> => function.F(
        (TFunction.Reads & 1) != 0 ? lanes.Load(a + i) : default,
        (TFunction.Reads & 2) != 0 ? lanes.Load(b + i) : default,
        (TFunction.Reads & 4) != 0 ? lanes.Load(c + i) : default,
        (TFunction.Reads & 8) != 0 ? lanes.Load(d + i) : default);
}

static unsafe class Mapped
{
    public static Mapped<TFunction> Of<TFunction>(TFunction function, float* y, float* a, float* b = null, float* c = null, float* d = null)
        where TFunction : struct, ILaneFunction => new(function, y, a, b, c, d);

    /// <summary>The bits of the operands that a derivative reads in addition to dy. They follow from what the operation saves: the inputs have the given bits, and the output has another.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Reads(Saves saves, int inputs, int output) =>
        1 | ((saves & Saves.Input) != 0 ? inputs : 0) | ((saves & Saves.Output) != 0 ? output : 0);
}

static class Gradient
{
    /// <summary>The product of dy and a derivative. If dy is 0 the product is 0, even if the derivative is infinite or NaN. So elements that <see cref="Tensor.Where"/> did not choose do no harm.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static T Of<T>(T dy, T product) where T : struct, IVector<T> => T.AndNot(product, T.Equal(dy, 0f));
}

readonly struct UnaryFunction<TOp> : ILaneFunction where TOp : struct, IUnaryOp<TOp>
{
    public static int Reads => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x, T b, T c, T d) where T : struct, IVector<T> => TOp.F(x);
}

readonly struct UnaryGradient<TOp> : ILaneFunction where TOp : struct, IUnaryOp<TOp>
{
    public static int Reads
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Mapped.Reads(TOp.Saves, inputs: 2, output: 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T dy, T x, T y, T d) where T : struct, IVector<T> => TOp.Backward(dy, x, y);
}

readonly struct BinaryFunction<TOp> : ILaneFunction where TOp : struct, IBinaryOp<TOp>
{
    public static int Reads => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T a, T b, T c, T d) where T : struct, IVector<T> => TOp.F(a, b);
}

readonly struct BinaryGradientA<TOp> : ILaneFunction where TOp : struct, IBinaryOp<TOp>
{
    public static int Reads
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Mapped.Reads(TOp.Saves, inputs: 6, output: 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T dy, T a, T b, T y) where T : struct, IVector<T> => Gradient.Of(dy, TOp.IsLinearInA ? TOp.F(dy, b) : dy * TOp.DerivativeA(a, b, y));
}

readonly struct BinaryGradientB<TOp> : ILaneFunction where TOp : struct, IBinaryOp<TOp>
{
    public static int Reads
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Mapped.Reads(TOp.Saves, inputs: 6, output: 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T dy, T a, T b, T y) where T : struct, IVector<T> => Gradient.Of(dy, dy * TOp.DerivativeB(a, b, y));
}

readonly struct ScalarFunction<TOp>(float scalar) : ILaneFunction where TOp : struct, IBinaryOp<TOp>
{
    public static int Reads => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x, T b, T c, T d) where T : struct, IVector<T> => TOp.F<T>(x, scalar);
}

readonly struct ScalarGradient<TOp>(float scalar) : ILaneFunction where TOp : struct, IBinaryOp<TOp>
{
    public static int Reads
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => Mapped.Reads(TOp.Saves, inputs: 2, output: 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T dy, T x, T y, T d) where T : struct, IVector<T> => Gradient.Of(dy, dy * TOp.DerivativeA<T>(x, scalar, y));
}

readonly struct Scaled(float alpha) : ILaneFunction
{
    public static int Reads => 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x, T b, T c, T d) where T : struct, IVector<T> => alpha * x;
}

readonly struct ScaledSum(float alpha, float beta) : ILaneFunction
{
    public static int Reads => 3;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T F<T>(T x, T y, T c, T d) where T : struct, IVector<T> => alpha * x + beta * y;
}
