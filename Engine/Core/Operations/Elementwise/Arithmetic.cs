using System.Numerics;

namespace QuadEngine;

/// <summary>a + b.</summary>
public readonly struct Add : IBinaryOp<Add>
{
    /// <inheritdoc/>
    public static string Name => "add";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static float F(float a, float b) => a + b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 1f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => a + b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.One;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.One;
}
