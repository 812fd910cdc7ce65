using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>
/// Binary cross-entropy of sigmoid(x) and a target t, with x = a and t = b: log(1 + exp(x)) - x t = log(1 + exp(-|x|)) + |x| r, where r is 1 - t for x &gt; 0 and t
/// elsewhere. In this form nothing cancels if the prediction meets the target. dF/dx = sigmoid(x) - t, computed from sigmoid(-|x|) and r in the same way; dF/dt = -x.
/// </summary>
public readonly struct BinaryCrossEntropyOp : IBinaryOp<BinaryCrossEntropyOp>
{
    /// <inheritdoc/>
    public static string Name => "binary-cross-entropy";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => Scalar.SoftplusTail(a) + MathF.Abs(a) * (a > 0f ? 1f - b : b);

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y)
    {
        var tail = Scalar.Sigmoid(-MathF.Abs(a));
        return a > 0f ? 1f - b - tail : tail - b;
    }

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => -a;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => Scalar.SoftplusTail(a)
        + T.Abs(a) * T.Select(a > 0f, 1f - b, b);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T>
    {
        var tail = Scalar.Sigmoid(-T.Abs(a));
        return T.Select(a > 0f, 1f - b - tail, tail - b);
    }

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => -a;

    static string? IBinaryOp<BinaryCrossEntropyOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Sub", graph.Node("Softplus", a), graph.Node("Mul", a, b));
}
