using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>a + b.</summary>
public readonly struct AddOp : IBinaryOp<AddOp>
{
    /// <inheritdoc/>
    public static string Name => "add";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static (float A, float B)? Coefficients => (1f, 1f);

    /// <inheritdoc/>
    public static bool IsSum => true;

    /// <inheritdoc/>
    public static float F(float a, float b) => a + b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 1f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => a + b;

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => 1f;

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => 1f;

    static string? IBinaryOp<AddOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Add", a, b);
}

/// <summary>a - b.</summary>
public readonly struct SubtractOp : IBinaryOp<SubtractOp>
{
    /// <inheritdoc/>
    public static string Name => "subtract";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static (float A, float B)? Coefficients => (1f, -1f);

    /// <inheritdoc/>
    public static float F(float a, float b) => a - b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => -1f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => a - b;

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => 1f;

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => -1f;

    static string? IBinaryOp<SubtractOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Sub", a, b);
}

/// <summary>a b.</summary>
public readonly struct MultiplyOp : IBinaryOp<MultiplyOp>
{
    /// <inheritdoc/>
    public static string Name => "multiply";

    /// <inheritdoc/>
    public static bool IsLinearInA => true;

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a * b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => a * b;

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => b;

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => a;

    static string? IBinaryOp<MultiplyOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Mul", a, b);
}

/// <summary>a / b.</summary>
public readonly struct DivideOp : IBinaryOp<DivideOp>
{
    /// <inheritdoc/>
    public static string Name => "divide";

    /// <inheritdoc/>
    public static bool IsLinearInA => true;

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a / b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 1f / b;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => -(a / b) / b;      // b^2 may overflow when this does not

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => a / b;

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => 1f / b;

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => -(a / b) / b;

    static string? IBinaryOp<DivideOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Div", a, b);
}

/// <summary>
/// a^b; if b is not an integer, a must be above 0. The derivative with respect to b is a^b log a. For a &lt; 0 it is NaN, because non-integer powers of a
/// are not real numbers. For a = 0 it is 0 if b is 0 or more.
/// </summary>
public readonly struct PowerOp : IBinaryOp<PowerOp>
{
    /// <inheritdoc/>
    public static string Name => "power";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input | Saves.Output;

    /// <inheritdoc/>
    public static float F(float a, float b) => MathF.Pow(a, b);

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b == 0f ? 0f : b * MathF.Pow(a, b - 1f);

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a == 0f && b >= 0f ? 0f : y * MathF.Log(a);

    static string? IBinaryOp<PowerOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Pow", a, b);
}

/// <summary>The larger of a and b; NaN if either is NaN. At a tie each gets half of the gradient; at NaN each gets all of it, as in PyTorch.</summary>
public readonly struct MaximumOp : IBinaryOp<MaximumOp>
{
    /// <inheritdoc/>
    public static string Name => "maximum";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a > b || float.IsNaN(a) ? a : b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a < b ? 0f : a == b ? 0.5f : 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a > b ? 0f : a == b ? 0.5f : 1f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => T.Select(a > b | ~T.Equal(a, a), a, b);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(b > a, 0f, T.Select(T.Equal(a, b), 0.5f, 1f));

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a > b, 0f, T.Select(T.Equal(a, b), 0.5f, 1f));

    static string? IBinaryOp<MaximumOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Max", a, b);
}

/// <summary>The smaller of a and b; NaN if either is NaN. At a tie each gets half of the gradient; at NaN each gets all of it, as in PyTorch.</summary>
public readonly struct MinimumOp : IBinaryOp<MinimumOp>
{
    /// <inheritdoc/>
    public static string Name => "minimum";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a < b || float.IsNaN(a) ? a : b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a > b ? 0f : a == b ? 0.5f : 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a < b ? 0f : a == b ? 0.5f : 1f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => T.Select(b > a | ~T.Equal(a, a), a, b);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a > b, 0f, T.Select(T.Equal(a, b), 0.5f, 1f));

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(b > a, 0f, T.Select(T.Equal(a, b), 0.5f, 1f));

    static string? IBinaryOp<MinimumOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Min", a, b);
}
