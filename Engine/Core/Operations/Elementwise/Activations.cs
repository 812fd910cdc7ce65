using System.Numerics;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Operations;

/// <summary>max(x, 0) (Nair and Hinton 2010); the derivative at 0 is 0. NaN stays NaN, and gradients pass there.</summary>
public readonly struct ReluOp : IUnaryOp<ReluOp>
{
    /// <inheritdoc/>
    public static string Name => "relu";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Output;

    /// <inheritdoc/>
    public static float F(float x) => x <= 0f ? 0f : x;

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => y <= 0f ? 0f : 1f;

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => VectorMath.Relu(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => T.Select(y <= 0f, 0f, 1f);

    static float IUnaryOp<ReluOp>.Backward(float dy, float x, float y) => y <= 0f ? 0f : dy;

    static T IUnaryOp<ReluOp>.Backward<T>(T dy, T x, T y) => VectorMath.WherePositive(y, dy);

    static string? IUnaryOp<ReluOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Relu", x);
}

/// <summary>x where x &gt; 0, slope x elsewhere (Maas et al. 2013).</summary>
public readonly struct LeakyReluOp : IBinaryOp<LeakyReluOp>
{
    /// <inheritdoc/>
    public static string Name => "leaky-relu";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a > 0f ? a : b * a;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a > 0f ? 1f : b;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a > 0f ? 0f : a;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => T.Select(a > 0f, a, b * a);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a > 0f, 1f, b);

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a > 0f, 0f, a);

    static string? IBinaryOp<LeakyReluOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("PRelu", a, b);
}

/// <summary>Sigmoid linear unit, x sigmoid(x) (Elfwing et al. 2018).</summary>
public readonly struct SiluOp : IUnaryOp<SiluOp>
{
    /// <inheritdoc/>
    public static string Name => "silu";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Silu(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => Scalar.SiluDerivative(x);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Silu(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => Scalar.SiluDerivative(x);

    static string? IUnaryOp<SiluOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Mul", x, graph.Node("Sigmoid", x));
}

/// <summary>Gaussian error linear unit, x Phi(x) = x (1 + erf(x / sqrt 2)) / 2 (Hendrycks and Gimpel 2016), exact form.</summary>
public readonly struct GeluOp : IUnaryOp<GeluOp>
{
    /// <inheritdoc/>
    public static string Name => "gelu";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => Scalar.Gelu(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => Scalar.GeluDerivative(x);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => Scalar.Gelu(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => Scalar.GeluDerivative(x);

    // 0.5 x (1 + erf(x / sqrt 2)): ONNX has a Gelu node only from opset 20 on.
    static string? IUnaryOp<GeluOp>.Onnx(IOnnxGraph graph, string x) =>
        graph.Node("Mul", graph.Node("Mul", x, graph.Number(0.5f)), graph.Node("Add", graph.Node("Erf", graph.Node("Mul", x, graph.Number(0.70710678f))), graph.Number(1f)));
}

/// <summary>log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).</summary>
public readonly struct SoftplusOp : IUnaryOp<SoftplusOp>
{
    /// <inheritdoc/>
    public static string Name => "softplus";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float x) => MathF.Max(x, 0f) + Scalar.SoftplusTail(x);

    /// <inheritdoc/>
    public static float Derivative(float x, float y) => Scalar.Sigmoid(x);

    /// <inheritdoc/>
    public static T F<T>(T x) where T : struct, IVector<T> => VectorMath.Relu(x) + Scalar.SoftplusTail(x);

    /// <inheritdoc/>
    public static T Derivative<T>(T x, T y) where T : struct, IVector<T> => Scalar.Sigmoid(x);

    static string? IUnaryOp<SoftplusOp>.Onnx(IOnnxGraph graph, string x) => graph.Node("Softplus", x);
}
