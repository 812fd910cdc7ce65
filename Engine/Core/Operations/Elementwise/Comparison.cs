using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>A comparison of two elements: y = 1 where it holds, otherwise 0. No gradient passes.</summary>
/// <typeparam name="TSelf">The comparison itself.</typeparam>
public interface IComparison<TSelf> : IBinaryOp<TSelf> where TSelf : struct, IComparison<TSelf>
{
    /// <summary>Whether the comparison holds.</summary>
    /// <param name="a">An element of the first operand.</param>
    /// <param name="b">The element of the second operand at the same place.</param>
    static abstract bool Holds(float a, float b);

    /// <summary>Sets all bits of each lane in which the comparison holds, and none of the other lanes.</summary>
    /// <param name="a">Elements of the first operand.</param>
    /// <param name="b">Elements of the second operand.</param>
    static abstract T Holds<T>(T a, T b) where T : struct, IVector<T>;

    static Saves IBinaryOp<TSelf>.Saves => Saves.Nothing;

    static (float A, float B)? IBinaryOp<TSelf>.Coefficients => (0f, 0f);

    static float IBinaryOp<TSelf>.F(float a, float b) => TSelf.Holds(a, b) ? 1f : 0f;

    static float IBinaryOp<TSelf>.DerivativeA(float a, float b, float y) => 0f;

    static float IBinaryOp<TSelf>.DerivativeB(float a, float b, float y) => 0f;

    static T IBinaryOp<TSelf>.F<T>(T a, T b) => T.Select(TSelf.Holds(a, b), 1f, 0f);

    static T IBinaryOp<TSelf>.DerivativeA<T>(T a, T b, T y) => 0f;

    static T IBinaryOp<TSelf>.DerivativeB<T>(T a, T b, T y) => 0f;
}

/// <summary>1 where a &gt; b, otherwise 0. No gradient passes.</summary>
public readonly struct GreaterOp : IComparison<GreaterOp>
{
    /// <inheritdoc/>
    public static string Name => "greater";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a > b;

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => a > b;

    static string? IBinaryOp<GreaterOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("Greater", a, b));
}

/// <summary>1 where a &gt;= b, otherwise 0. No gradient passes.</summary>
public readonly struct GreaterEqualOp : IComparison<GreaterEqualOp>
{
    /// <inheritdoc/>
    public static string Name => "greater-equal";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a >= b;

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => a >= b;

    static string? IBinaryOp<GreaterEqualOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("GreaterOrEqual", a, b));
}

/// <summary>1 where a &lt; b, otherwise 0. No gradient passes.</summary>
public readonly struct LessOp : IComparison<LessOp>
{
    /// <inheritdoc/>
    public static string Name => "less";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a < b;

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => a < b;

    static string? IBinaryOp<LessOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("Less", a, b));
}

/// <summary>1 where a &lt;= b, otherwise 0. No gradient passes.</summary>
public readonly struct LessEqualOp : IComparison<LessEqualOp>
{
    /// <inheritdoc/>
    public static string Name => "less-equal";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a <= b;

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => a <= b;

    static string? IBinaryOp<LessEqualOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("LessOrEqual", a, b));
}

/// <summary>1 where a = b, otherwise 0. No gradient passes.</summary>
public readonly struct EqualOp : IComparison<EqualOp>
{
    /// <inheritdoc/>
    public static string Name => "equal";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a == b;

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => T.Equal(a, b);

    static string? IBinaryOp<EqualOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("Equal", a, b));
}

/// <summary>0 where a = b, otherwise 1. NaN equals nothing, not even NaN. No gradient passes.</summary>
public readonly struct NotEqualOp : IComparison<NotEqualOp>
{
    /// <inheritdoc/>
    public static string Name => "not-equal";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a != b;

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => ~T.Equal(a, b);

    static string? IBinaryOp<NotEqualOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("Not", graph.Node("Equal", a, b)));
}

/// <summary>1 where a is the extreme b of its group, otherwise 0. A NaN is an extreme of its group. No gradient passes.</summary>
public readonly struct IsExtremeOp : IComparison<IsExtremeOp>
{
    /// <inheritdoc/>
    public static string Name => "is-extreme";

    /// <inheritdoc/>
    public static bool Holds(float a, float b) => a == b || float.IsNaN(a);

    /// <inheritdoc/>
    public static T Holds<T>(T a, T b) where T : struct, IVector<T> => T.Equal(a, b) | ~T.Equal(a, a);

    static string? IBinaryOp<IsExtremeOp>.Onnx(IOnnxGraph graph, string a, string b) => graph.ToNumbers(graph.Node("Or", graph.Node("Equal", a, b), graph.Node("IsNaN", a)));
}
