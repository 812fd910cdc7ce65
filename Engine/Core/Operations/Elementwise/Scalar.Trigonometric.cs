using System.Numerics;
using System.Runtime.CompilerServices;

namespace QuadEngine.Operations;

// Sine and cosine: x is q pi/2 + r, with |r| at most pi/4 and an integer q. The last two bits of q select the polynomial of r and its sign.
public static partial class Scalar
{
    /// <summary>The sine of x radians.</summary>
    /// <param name="x">Any float: the infinities give NaN, NaN stays NaN.</param>
    public static float Sin(float x)
    {
        var r = Reduce(x, out var quadrant);
        return InQuadrant(r, quadrant);
    }

    /// <inheritdoc cref="Sin(float)"/>
    public static Vector<float> Sin(Vector<float> x) => InQuadrant(x, 0, Sin);

    /// <summary>The cosine of x radians.</summary>
    /// <param name="x">Any float: the infinities give NaN, NaN stays NaN.</param>
    public static float Cos(float x)
    {
        var r = Reduce(x, out var quadrant);
        return InQuadrant(r, quadrant + 1);
    }

    /// <inheritdoc cref="Cos(float)"/>
    public static Vector<float> Cos(Vector<float> x) => InQuadrant(x, 1, Cos);

    // sin(r + quadrant pi/2)
    static float InQuadrant(float r, int quadrant)
    {
        var square = r * r;
        var sine = r + r * square * (-0.1666666716f + square * (0.008333385922f + square * (-0.0001985599229f + square * 2.865679562e-6f)));
        var cosine = 1f + square * (-0.5f + square * (0.04166665673f + square * (-0.001388772973f + square * 2.446770668e-5f)));
        var y = (quadrant & 1) == 0 ? sine : cosine;
        return (quadrant & 2) == 0 ? y : -y;
    }

    /// <summary>
    /// Computes r and q for any float (Payne and Hanek 1983). x is a 32-bit integer times a power of 2. Of the digits of 1/(2 pi), the first ones give whole turns, and the last ones
    /// do not affect r. Three 32-bit words between them remain.
    /// </summary>
    static float Reduce(float x, out int quadrant)
    {
        quadrant = 0;
        if (!(MathF.Abs(x) > 0.78539816f)) return x;

        var bits = (uint)BitConverter.SingleToInt32Bits(x);
        var exponent = (int)(bits >> 23 & 0xFF) - 126;
        if (exponent > 128) return x - x;
        int word = exponent >> 5, shift = exponent & 31;
        uint high = DigitsOfInverse(word - 1), middle = DigitsOfInverse(word), low = DigitsOfInverse(word + 1), rest = DigitsOfInverse(word + 2);
        if (shift != 0)
        {
            high = high << shift | middle >> 32 - shift;
            middle = middle << shift | low >> 32 - shift;
            low = low << shift | rest >> 32 - shift;
        }

        // |x| as a part of a turn, in units of 2^-64. Its first two bits count quadrants.
        ulong mantissa = bits << 8 | 0x8000_0000u;
        var product = (mantissa * high << 32) + mantissa * middle + (mantissa * low >> 32);
        quadrant = (int)(product >> 62);
        var fraction = (long)(product << 2) >> 2;
        if (fraction < 0) quadrant++;
        var r = fraction * 3.4061216e-19f;
        if (x > 0f) return r;
        quadrant = -quadrant;
        return -r;
    }

    // 1/(2 pi) = 0.28BE60DB 9391054A ... in hexadecimal, as 32-bit words. Words before the point are 0.
    static uint DigitsOfInverse(int word) =>
        word < 0 ? 0u : word == 0 ? 0x28BE60DBu : word == 1 ? 0x9391054Au : word == 2 ? 0x7F09D5F4u : word == 3 ? 0x7D4D3770u : word == 4 ? 0x36D8A566u : word == 5 ? 0x4F10E410u : 0x7F9458EAu;

    /// <summary>Up to this |x|, q pi/2 can be subtracted in three parts (Cody and Waite 1980), and r keeps all its digits.</summary>
    const float EasyToReduce = 65536f;

    // sin(x + quadrants pi/2). Lanes with a larger |x|, which are rare, use the scalar form.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static Vector<float> InQuadrant(Vector<float> x, int quadrants, Func<float, float> scalar)
    {
        var q = Vector.Round(x * new Vector<float>(0.636619772f));
        var r = Vector.FusedMultiplyAdd(q, new(-1.57079601f), x);
        r = Vector.FusedMultiplyAdd(q, new(-3.13916473e-7f), r);
        r = Vector.FusedMultiplyAdd(q, new(-5.39030253e-15f), r);
        var square = r * r;
        var sine = Vector.FusedMultiplyAdd(r * square, new Vector<float>(2.865679562e-6f).Next(square, -0.0001985599229f).Next(square, 0.008333385922f).Next(square, -0.1666666716f), r);
        var cosine = new Vector<float>(2.446770668e-5f).Next(square, -0.001388772973f).Next(square, 0.04166665673f).Next(square, -0.5f).Next(square, 1f);
        var quadrant = Vector.ConvertToInt32Native(q) + new Vector<int>(quadrants);
        var y = Vector.ConditionalSelect(Vector.Equals(quadrant & Vector<int>.One, Vector<int>.Zero), sine, cosine);
        y = Vector.ConditionalSelect(Vector.Equals(quadrant & new Vector<int>(2), Vector<int>.Zero), y, -y);
        return Vector.LessThanOrEqualAll(Vector.Abs(x), new(EasyToReduce)) ? y : Vector.ConditionalSelect(Vector.LessThanOrEqual(Vector.Abs(x), new(EasyToReduce)), y, Lanes.Map(x, scalar));
    }
}
