using System.Numerics;

namespace QuadEngine.Operations;

/// <summary>
/// Scalar and vector functions that the base library lacks, or that GPU compilers would only approximate: what element-wise
/// operations are written with. Plain arithmetic and <see cref="MathF.Exp"/>.
/// </summary>
public static class Scalar
{
    /// <summary>1 / (1 + exp(-x)).</summary>
    public static float Sigmoid(float x) => 1f / (1f + MathF.Exp(-x));

    /// <inheritdoc cref="Sigmoid(float)"/>
    public static Vector<float> Sigmoid(Vector<float> x) => Vector<float>.One / (Vector<float>.One + Vector.Exp(-x));

    /// <summary>tanh x = sign(x) (1 - e) / (1 + e) with e = exp(-2 |x|); its odd series near 0, where 1 - e would cancel.</summary>
    public static float Tanh(float x)
    {
        var square = x * x;
        if (square < 0.0625f)
            return x * (1f + square * (-1f / 3f + square * (2f / 15f + square * (-17f / 315f + square * (62f / 2835f)))));
        var e = MathF.Exp(-2f * MathF.Abs(x));
        var magnitude = (1f - e) / (1f + e);
        return x < 0f ? -magnitude : magnitude;
    }

    /// <inheritdoc cref="Tanh(float)"/>
    public static Vector<float> Tanh(Vector<float> x)
    {
        var square = x * x;
        var series = x * (Vector<float>.One + square * (new Vector<float>(-1f / 3f) + square * (new Vector<float>(2f / 15f)
            + square * (new Vector<float>(-17f / 315f) + square * new Vector<float>(62f / 2835f)))));
        var e = Vector.Exp(new Vector<float>(-2f) * Vector.Abs(x));
        var magnitude = (Vector<float>.One - e) / (Vector<float>.One + e);
        var signed = Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -magnitude, magnitude);
        return Vector.ConditionalSelect(Vector.LessThan(square, new Vector<float>(0.0625f)), series, signed);
    }

    /// <summary>The error function, to 1.5e-7: Abramowitz and Stegun 7.1.26, and its series 2/sqrt(pi) (x - x^3/3 + x^5/10 - x^7/42) near 0.</summary>
    public static float Erf(float x)
    {
        var square = x * x;
        if (square < 0.04f)
            return 1.1283791671f * x * (1f + square * (-1f / 3f + square * (0.1f + square * (-1f / 42f + square * (1f / 216f)))));
        var t = 1f / (1f + 0.3275911f * MathF.Abs(x));
        var polynomial = t * (0.254829592f + t * (-0.284496736f + t * (1.421413741f + t * (-1.453152027f + t * 1.061405429f))));
        var magnitude = 1f - polynomial * MathF.Exp(-square);
        return x < 0f ? -magnitude : magnitude;
    }

    /// <inheritdoc cref="Erf(float)"/>
    public static Vector<float> Erf(Vector<float> x)
    {
        var square = x * x;
        var series = new Vector<float>(1.1283791671f) * x * (Vector<float>.One + square * (new Vector<float>(-1f / 3f)
            + square * (new Vector<float>(0.1f) + square * (new Vector<float>(-1f / 42f) + square * new Vector<float>(1f / 216f)))));
        var t = Vector<float>.One / (Vector<float>.One + new Vector<float>(0.3275911f) * Vector.Abs(x));
        var polynomial = t * (new Vector<float>(0.254829592f) + t * (new Vector<float>(-0.284496736f) + t * (new Vector<float>(1.421413741f)
            + t * (new Vector<float>(-1.453152027f) + t * new Vector<float>(1.061405429f)))));
        var magnitude = Vector<float>.One - polynomial * Vector.Exp(-square);
        var signed = Vector.ConditionalSelect(Vector.LessThan(x, Vector<float>.Zero), -magnitude, magnitude);
        return Vector.ConditionalSelect(Vector.LessThan(square, new Vector<float>(0.04f)), series, signed);
    }
}
