using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>a + b.</summary>
public readonly struct Add : IBinaryOp<Add>
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
    public static Vector<float> F(Vector<float> a, Vector<float> b) => a + b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.One;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.One;
}

/// <summary>a - b.</summary>
public readonly struct Subtract : IBinaryOp<Subtract>
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
    public static Vector<float> F(Vector<float> a, Vector<float> b) => a - b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.One;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => -Vector<float>.One;
}

/// <summary>a b.</summary>
public readonly struct Multiply : IBinaryOp<Multiply>
{
    /// <inheritdoc/>
    public static string Name => "multiply";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a * b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => b;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => a * b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => a;
}

/// <summary>a / b.</summary>
public readonly struct Divide : IBinaryOp<Divide>
{
    /// <inheritdoc/>
    public static string Name => "divide";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a / b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => 1f / b;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => -a / (b * b);

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => a / b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector<float>.One / b;

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => -a / (b * b);
}

/// <summary>a^b, for a &gt; 0 where b is no integer; the derivative to b is taken as 0 at a = 0.</summary>
public readonly struct Power : IBinaryOp<Power>
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
    public static float DerivativeB(float a, float b, float y) => a > 0f ? y * MathF.Log(a) : 0f;
}

/// <summary>The larger of a and b; at a tie the gradient is shared in halves.</summary>
public readonly struct Maximum : IBinaryOp<Maximum>
{
    /// <inheritdoc/>
    public static string Name => "maximum";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a > b || float.IsNaN(a) ? a : b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a > b ? 1f : a == b ? 0.5f : 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a > b ? 0f : a == b ? 0.5f : 1f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.GreaterThan(a, b) | ~Vector.Equals(a, a), a, b);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.GreaterThan(a, b), Vector<float>.One, Vector.ConditionalSelect(Vector.Equals(a, b), new Vector<float>(0.5f), Vector<float>.Zero));

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.GreaterThan(a, b), Vector<float>.Zero, Vector.ConditionalSelect(Vector.Equals(a, b), new Vector<float>(0.5f), Vector<float>.One));
}

/// <summary>The smaller of a and b; at a tie the gradient is shared in halves.</summary>
public readonly struct Minimum : IBinaryOp<Minimum>
{
    /// <inheritdoc/>
    public static string Name => "minimum";

    /// <inheritdoc/>
    public static Saves Saves => Saves.Input;

    /// <inheritdoc/>
    public static float F(float a, float b) => a < b || float.IsNaN(a) ? a : b;

    /// <inheritdoc/>
    public static float DerivativeA(float a, float b, float y) => a < b ? 1f : a == b ? 0.5f : 0f;

    /// <inheritdoc/>
    public static float DerivativeB(float a, float b, float y) => a < b ? 0f : a == b ? 0.5f : 1f;

    /// <inheritdoc/>
    public static Vector<float> F(Vector<float> a, Vector<float> b) => Vector.ConditionalSelect(Vector.GreaterThan(b, a) | ~Vector.Equals(a, a), a, b);

    /// <inheritdoc/>
    public static Vector<float> DerivativeA(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.GreaterThan(b, a), Vector<float>.One, Vector.ConditionalSelect(Vector.Equals(a, b), new Vector<float>(0.5f), Vector<float>.Zero));

    /// <inheritdoc/>
    public static Vector<float> DerivativeB(Vector<float> a, Vector<float> b, Vector<float> y) => Vector.ConditionalSelect(Vector.GreaterThan(b, a), Vector<float>.Zero, Vector.ConditionalSelect(Vector.Equals(a, b), new Vector<float>(0.5f), Vector<float>.One));
}
