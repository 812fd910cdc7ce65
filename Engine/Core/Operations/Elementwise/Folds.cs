using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>The sum of all elements folded.</summary>
public readonly struct Sum : IReduction<Sum>
{
    /// <inheritdoc/>
    public static string Name => "sum";

    /// <inheritdoc/>
    public static float Identity => 0f;

    /// <inheritdoc/>
    public static float Combine(float a, float b) => a + b;

    /// <inheritdoc/>
    public static Vector<float> Combine(Vector<float> a, Vector<float> b) => a + b;
}

/// <summary>The largest of all elements folded.</summary>
public readonly struct Max : IReduction<Max>
{
    /// <inheritdoc/>
    public static string Name => "max";

    /// <inheritdoc/>
    public static float Identity => float.NegativeInfinity;

    /// <inheritdoc/>
    public static float Combine(float a, float b) => Maximum.F(a, b);

    /// <inheritdoc/>
    public static Vector<float> Combine(Vector<float> a, Vector<float> b) => Maximum.F(a, b);
}

/// <summary>The smallest of all elements folded.</summary>
public readonly struct Min : IReduction<Min>
{
    /// <inheritdoc/>
    public static string Name => "min";

    /// <inheritdoc/>
    public static float Identity => float.PositiveInfinity;

    /// <inheritdoc/>
    public static float Combine(float a, float b) => Minimum.F(a, b);

    /// <inheritdoc/>
    public static Vector<float> Combine(Vector<float> a, Vector<float> b) => Minimum.F(a, b);
}
