using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>a, but b at least: <see cref="MaximumOp"/> whose gradient at a tie is all a's, as PyTorch's clamp has it.</summary>
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
    public static Vector<float> F(Vector<float> a, Vector<float> b) => MaximumOp.F(a, b);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.GreaterThanOrEqual(a, b), Vector<float>.One, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.GreaterThanOrEqual(a, b), Vector<float>.Zero, Vector<float>.One);

    static string? IBinaryOp<AtLeastOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Max", a, b);
}

/// <summary>a, but b at most: <see cref="MinimumOp"/> whose gradient at a tie is all a's, as PyTorch's clamp has it.</summary>
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
    public static Vector<float> F(Vector<float> a, Vector<float> b) => MinimumOp.F(a, b);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.LessThanOrEqual(a, b), Vector<float>.One, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.LessThanOrEqual(a, b), Vector<float>.Zero, Vector<float>.One);

    static string? IBinaryOp<AtMostOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Min", a, b);
}
