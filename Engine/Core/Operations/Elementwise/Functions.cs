using System.Numerics;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Operations;

/// <summary>-x.</summary>
public readonly struct NegateOp : IUnaryOp<NegateOp>
{
    /// <inheritdoc/>
    public static string Name => "negate";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static float F(float x) => -x;

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => -1f;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => -x;

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => -1f;

    static string? IUnaryOp<NegateOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Neg", x);
}

/// <summary>e^x.</summary>
public readonly struct ExpOp : IUnaryOp<ExpOp>
{
    /// <inheritdoc/>
    public static string Name => "exp";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Output;

    /// <inheritdoc/>
    public static float F(float x) => MathF.Exp(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => y;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => VectorMath.Exp(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => y;

    static string? IUnaryOp<ExpOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Exp", x);
}

/// <summary>e^x - 1; it keeps full precision near x = 0.</summary>
public readonly struct Expm1Op : IUnaryOp<Expm1Op>
{
    /// <inheritdoc/>
    public static string Name => "expm1";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Output;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Expm1(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => y + 1f;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Expm1(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => y + 1f;

    static string? IUnaryOp<Expm1Op>.Onnx(IOnnxGraph graph, string x) => graph.Node("Sub", graph.Node("Exp", x), graph.Number(1f));
}

/// <summary>The natural logarithm; -infinity at 0, NaN below.</summary>
public readonly struct LogOp : IUnaryOp<LogOp>
{
    /// <inheritdoc/>
    public static string Name => "log";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => MathF.Log(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => 1f / x;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => T.Log(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => 1f / x;

    static string? IUnaryOp<LogOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Log", x);
}

/// <summary>log(1 + x); it keeps full precision near x = 0. It is -infinity at -1 and NaN below.</summary>
public readonly struct Log1pOp : IUnaryOp<Log1pOp>
{
    /// <inheritdoc/>
    public static string Name => "log1p";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Log1p(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => 1f / (1f + x);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Log1p(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => 1f / (1f + x);

    static string? IUnaryOp<Log1pOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Log", graph.Node("Add", x, graph.Number(1f)));
}

/// <summary>The square root; NaN below 0.</summary>
public readonly struct SqrtOp : IUnaryOp<SqrtOp>
{
    /// <inheritdoc/>
    public static string Name => "sqrt";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Output;

    /// <inheritdoc/>
    public static float F(float x) => MathF.Sqrt(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => 0.5f / y;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => T.Sqrt(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => 0.5f / y;

    static string? IUnaryOp<SqrtOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Sqrt", x);
}

/// <summary>x^2.</summary>
public readonly struct SquareOp : IUnaryOp<SquareOp>
{
    /// <inheritdoc/>
    public static string Name => "square";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => x * x;

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => 2f * x;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => x * x;

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => x + x;

    static string? IUnaryOp<SquareOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Mul", x, x);
}

/// <summary>|x|; the derivative at 0 is 0, at NaN it is NaN.</summary>
public readonly struct AbsOp : IUnaryOp<AbsOp>
{
    /// <inheritdoc/>
    public static string Name => "abs";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => MathF.Abs(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => x > 0f ? 1f : x < 0f ? -1f : x;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => T.Abs(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => T.Select(x > 0f, 1f, T.Select(0f > x, -1f, x));

    static string? IUnaryOp<AbsOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Abs", x);
}

/// <summary>-1 below 0, 1 above, 0 at 0 and NaN at NaN; the derivative is 0 everywhere.</summary>
public readonly struct SignOp : IUnaryOp<SignOp>
{
    /// <inheritdoc/>
    public static string Name => "sign";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static float F(float x) => x > 0f ? 1f : x < 0f ? -1f : x;

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => 0f;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => T.Select(x > 0f, 1f, T.Select(0f > x, -1f, x));

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => 0f;

    static string? IUnaryOp<SignOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Sign", x);
}

/// <summary>The sine of x radians; NaN at the infinities.</summary>
public readonly struct SinOp : IUnaryOp<SinOp>
{
    /// <inheritdoc/>
    public static string Name => "sin";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Sin(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => Scalar.Cos(x);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Sin(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => Scalar.Cos(x);

    static string? IUnaryOp<SinOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Sin", x);
}

/// <summary>The cosine of x radians; NaN at the infinities.</summary>
public readonly struct CosOp : IUnaryOp<CosOp>
{
    /// <inheritdoc/>
    public static string Name => "cos";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Cos(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => -Scalar.Sin(x);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Cos(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => -Scalar.Sin(x);

    static string? IUnaryOp<CosOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Cos", x);
}

/// <summary>The hyperbolic tangent.</summary>
public readonly struct TanhOp : IUnaryOp<TanhOp>
{
    /// <inheritdoc/>
    public static string Name => "tanh";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Output;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Tanh(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => 1f - y * y;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Tanh(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => 1f - y * y;

    static string? IUnaryOp<TanhOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Tanh", x);
}

/// <summary>1 / (1 + exp(-x)).</summary>
public readonly struct SigmoidOp : IUnaryOp<SigmoidOp>
{
    /// <inheritdoc/>
    public static string Name => "sigmoid";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Output;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Sigmoid(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => y * (1f - y);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Sigmoid(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => y * (1f - y);

    static string? IUnaryOp<SigmoidOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Sigmoid", x);
}
