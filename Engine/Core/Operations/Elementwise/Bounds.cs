using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>a, but at least b: <see cref="MaximumOp"/>, except that a gets all of the gradient at a tie, as in PyTorch's clamp.</summary>
public readonly struct AtLeastOp : IBinaryOp<AtLeastOp>
{
    /// <inheritdoc/>
    public static string Name => "at-least";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => MaximumOp.F(a, b);

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a >= b ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a >= b ? 0f : 1f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => MaximumOp.F(a, b);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a >= b, 1f, 0f);

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a >= b, 0f, 1f);

    static string? IBinaryOp<AtLeastOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Max", a, b);
}

/// <summary>a, but at most b: <see cref="MinimumOp"/>, except that a gets all of the gradient at a tie, as in PyTorch's clamp.</summary>
public readonly struct AtMostOp : IBinaryOp<AtMostOp>
{
    /// <inheritdoc/>
    public static string Name => "at-most";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => MinimumOp.F(a, b);

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a <= b ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a <= b ? 0f : 1f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => MinimumOp.F(a, b);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a <= b, 1f, 0f);

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(a <= b, 0f, 1f);

    static string? IBinaryOp<AtMostOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Min", a, b);
}
