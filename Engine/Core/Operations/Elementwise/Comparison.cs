using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>1 where a &gt; b, else 0; no gradient passes.</summary>
public readonly struct Greater : IBinaryOp<Greater>
{
    /// <inheritdoc/>
    public static string Name => "greater";

    /// <inheritdoc/>
    public static (float A, float B)? Coefficients => (0f, 0f);

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static float F(float a, float b) => a > b ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.GreaterThan(a, b), Vector<float>.One, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;
}

/// <summary>1 where a = b, else 0; no gradient passes.</summary>
public readonly struct Equal : IBinaryOp<Equal>
{
    /// <inheritdoc/>
    public static string Name => "equal";

    /// <inheritdoc/>
    public static (float A, float B)? Coefficients => (0f, 0f);

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static float F(float a, float b) => a == b ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(a, b), Vector<float>.One, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;
}

/// <summary>1 where a is the extreme b of its group, NaN too, which is the extreme of every group that it is in; else 0. No gradient passes.</summary>
public readonly struct IsExtreme : IBinaryOp<IsExtreme>
{
    /// <inheritdoc/>
    public static string Name => "is-extreme";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Nothing;

    /// <inheritdoc/>
    public static (float A, float B)? Coefficients => (0f, 0f);

    /// <inheritdoc/>
    public static float F(float a, float b) => a == b || float.IsNaN(a) ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(a, b) | ~Vector.Equals(a, a), Vector<float>.One, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;
}

/// <summary>a where the condition b is not 0, else 0, whatever a is there.</summary>
public readonly struct KeepWhere : IBinaryOp<KeepWhere>
{
    /// <inheritdoc/>
    public static string Name => "keep-where";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => b != 0f ? a : 0f;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b != 0f ? 1f : 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(b, Vector<float>.Zero), Vector<float>.Zero, a);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.Equals(b, Vector<float>.Zero), Vector<float>.Zero, Vector<float>.One);

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;
}

/// <summary>0 where the condition b is not 0, else a.</summary>
public readonly struct DropWhere : IBinaryOp<DropWhere>
{
    /// <inheritdoc/>
    public static string Name => "drop-where";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => b != 0f ? 0f : a;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b != 0f ? 0f : 1f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => 0f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.Equals(b, Vector<float>.Zero), a, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.Equals(b, Vector<float>.Zero), Vector<float>.One, Vector<float>.Zero);

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.Zero;
}
