using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>a where the condition b is not 0. Elsewhere it is 0, whatever a is.</summary>
public readonly struct WhereTrueOp : IBinaryOp<WhereTrueOp>
{
    /// <inheritdoc/>
    public static string Name => "where-true";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => b != 0f ? a : 0f;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b != 0f ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => T.Select(T.Equal(b, 0f), 0f, a);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(T.Equal(b, 0f), 0f, 1f);

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => 0f;

    static string? IBinaryOp<WhereTrueOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Where", graph.ToCondition(b), a, graph.Number(0f));
}

/// <summary>0 where the condition b is not 0, a elsewhere.</summary>
public readonly struct WhereFalseOp : IBinaryOp<WhereFalseOp>
{
    /// <inheritdoc/>
    public static string Name => "where-false";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => b != 0f ? 0f : a;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b != 0f ? 0f : 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static T F<T>(T a, T b) where T : struct, IVector<T> => T.Select(T.Equal(b, 0f), a, 0f);

    /// <inheritdoc/>
    public static T DerivativeA<T>(T a, T b, T y) where T : struct, IVector<T> => T.Select(T.Equal(b, 0f), 1f, 0f);

    /// <inheritdoc/>
    public static T DerivativeB<T>(T a, T b, T y) where T : struct, IVector<T> => 0f;

    static string? IBinaryOp<WhereFalseOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.Node("Where", graph.ToCondition(b), graph.Number(0f), a);
}
