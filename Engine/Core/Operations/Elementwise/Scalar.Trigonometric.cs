using System.Runtime.CompilerServices;
using QuadEngine.Devices.Cpu;

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
    public static T Sin<T>(T x) where T : struct, IVector<T> => InQuadrant(x, 0, Sin);

    /// <summary>The cosine of x radians.</summary>
    /// <param name="x">Any float: the infinities give NaN, NaN stays NaN.</param>
    public static float Cos(float x)
    {
        var r = Reduce(x, out var quadrant);
        return InQuadrant(r, quadrant + 1);
    }

    /// <inheritdoc cref="Cos(float)"/>
    public static T Cos<T>(T x) where T : struct, IVector<T> => InQuadrant(x, 1, Cos);

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
    static T InQuadrant<T>(T x, int quadrants, Func<float, float> scalar) where T : struct, IVector<T>
    {
        var q = T.Round(x * 0.636619772f);
        var r = T.FusedMultiplyAdd(q, -1.57079601f, x);
        r = T.FusedMultiplyAdd(q, -3.13916473e-7f, r);
        r = T.FusedMultiplyAdd(q, -5.39030253e-15f, r);
        var square = r * r;
        var sine = T.FusedMultiplyAdd(r * square, ((T)2.865679562e-6f).Next(square, -0.0001985599229f).Next(square, 0.008333385922f).Next(square, -0.1666666716f), r);
        var cosine = ((T)2.446770668e-5f).Next(square, -0.001388772973f).Next(square, 0.04166665673f).Next(square, -0.5f).Next(square, 1f);
        T half = (q + quadrants) * 0.5f, quarter = T.Floor(half) * 0.5f;
        var y = T.Select(T.Equal(half, T.Floor(half)), sine, cosine);
        y = T.Select(T.Equal(quarter, T.Floor(quarter)), y, -y);
        var isEasy = T.Abs(x) <= EasyToReduce;
        return T.All(isEasy) ? y : T.Select(isEasy, y, Lanes.Map(x, scalar));
    }
}
