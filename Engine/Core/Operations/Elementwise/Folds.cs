using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>The sum of all folded elements.</summary>
public readonly struct SumOp : IReduction<SumOp>
{
    /// <inheritdoc/>
    public static string Name => "sum";

    /// <inheritdoc/>
    public static float Identity => 0f;

    /// <inheritdoc/>
    public static float Combine(float a, float b) => a + b;

    /// <inheritdoc/>
    public static T Combine<T>(T a, T b) where T : struct, IVector<T> => a + b;
}

/// <summary>The largest of all folded elements.</summary>
public readonly struct MaxOp : IReduction<MaxOp>
{
    /// <inheritdoc/>
    public static string Name => "max";

    /// <inheritdoc/>
    public static float Identity => float.NegativeInfinity;

    /// <inheritdoc/>
    public static float Combine(float a, float b) => MaximumOp.F(a, b);

    /// <inheritdoc/>
    public static T Combine<T>(T a, T b) where T : struct, IVector<T> => MaximumOp.F(a, b);
}

/// <summary>The smallest of all folded elements.</summary>
public readonly struct MinOp : IReduction<MinOp>
{
    /// <inheritdoc/>
    public static string Name => "min";

    /// <inheritdoc/>
    public static float Identity => float.PositiveInfinity;

    /// <inheritdoc/>
    public static float Combine(float a, float b) => MinimumOp.F(a, b);

    /// <inheritdoc/>
    public static T Combine<T>(T a, T b) where T : struct, IVector<T> => MinimumOp.F(a, b);
}
