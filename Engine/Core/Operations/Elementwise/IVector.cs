using System.Runtime.InteropServices;

namespace QuadEngine.Operations;

/// <summary>
/// Some floats, one in each lane, on which every operator works lane by lane. A vector form that is generic in this type is compiled for each width that the processor has: 512, 256 and 128 bits.
/// Floats convert to vectors that have the float in all lanes, so <c>x + 1f</c> works.
/// </summary>
/// <typeparam name="TSelf">The vector itself.</typeparam>
/// <remarks>
/// A comparison gives a mask: all bits of a lane are set where it holds. It does not hold if either lane is NaN. Every operation here rounds as IEEE 754 requires, so a function has the
/// same bits at any width.
/// </remarks>
public interface IVector<TSelf> where TSelf : struct, IVector<TSelf>
{
    /// <summary>The float in all lanes.</summary>
    /// <param name="value">Any float.</param>
    static abstract implicit operator TSelf(float value);

    /// <summary>a + b.</summary>
    /// <param name="a">The left summand.</param>
    /// <param name="b">The right summand.</param>
    static abstract TSelf operator +(TSelf a, TSelf b);

    /// <summary>a - b.</summary>
    /// <param name="a">The minuend.</param>
    /// <param name="b">The subtrahend.</param>
    static abstract TSelf operator -(TSelf a, TSelf b);

    /// <summary>a b.</summary>
    /// <param name="a">The left factor.</param>
    /// <param name="b">The right factor.</param>
    static abstract TSelf operator *(TSelf a, TSelf b);

    /// <summary>a / b.</summary>
    /// <param name="a">The dividend.</param>
    /// <param name="b">The divisor.</param>
    static abstract TSelf operator /(TSelf a, TSelf b);

    /// <summary>-a.</summary>
    /// <param name="a">Any lanes.</param>
    static abstract TSelf operator -(TSelf a);

    /// <summary>The bitwise and.</summary>
    /// <param name="a">A mask, or lanes to keep or to clear.</param>
    /// <param name="b">A mask.</param>
    static abstract TSelf operator &(TSelf a, TSelf b);

    /// <summary>The bitwise or.</summary>
    /// <param name="a">A mask.</param>
    /// <param name="b">Another mask.</param>
    static abstract TSelf operator |(TSelf a, TSelf b);

    /// <summary>The bitwise complement.</summary>
    /// <param name="a">A mask.</param>
    static abstract TSelf operator ~(TSelf a);

    /// <summary>The mask of a &lt; b.</summary>
    /// <param name="a">The left lanes.</param>
    /// <param name="b">The right lanes.</param>
    static abstract TSelf operator <(TSelf a, TSelf b);

    /// <summary>The mask of a &gt; b.</summary>
    /// <param name="a">The left lanes.</param>
    /// <param name="b">The right lanes.</param>
    static abstract TSelf operator >(TSelf a, TSelf b);

    /// <summary>The mask of a &lt;= b.</summary>
    /// <param name="a">The left lanes.</param>
    /// <param name="b">The right lanes.</param>
    static abstract TSelf operator <=(TSelf a, TSelf b);

    /// <summary>The mask of a &gt;= b.</summary>
    /// <param name="a">The left lanes.</param>
    /// <param name="b">The right lanes.</param>
    static abstract TSelf operator >=(TSelf a, TSelf b);

    /// <summary>The mask of a = b.</summary>
    /// <param name="a">The left lanes.</param>
    /// <param name="b">The right lanes.</param>
    static abstract TSelf Equal(TSelf a, TSelf b);

    /// <summary>a where the mask is set, otherwise b.</summary>
    /// <param name="mask">The result of a comparison, or of masks.</param>
    /// <param name="a">Lanes of any bits.</param>
    /// <param name="b">Other lanes of any bits.</param>
    static abstract TSelf Select(TSelf mask, TSelf a, TSelf b);

    /// <summary>0 where the mask is set, otherwise a.</summary>
    /// <param name="a">Lanes of any bits.</param>
    /// <param name="mask">The result of a comparison, or of masks.</param>
    static abstract TSelf AndNot(TSelf a, TSelf mask);

    /// <summary>Whether the mask is set in all lanes.</summary>
    /// <param name="mask">The result of a comparison, or of masks.</param>
    static abstract bool All(TSelf mask);

    /// <summary>The larger number; NaN where b is NaN.</summary>
    /// <param name="a">The left lanes, none of which may be NaN: machines differ in the result for a NaN here.</param>
    /// <param name="b">The right lanes, of any value.</param>
    static abstract TSelf Max(TSelf a, TSelf b);

    /// <summary>The smaller number; NaN where b is NaN.</summary>
    /// <param name="a">The left lanes, none of which may be NaN.</param>
    /// <param name="b">The right lanes, of any value.</param>
    static abstract TSelf Min(TSelf a, TSelf b);

    /// <summary>a b + c, rounded once.</summary>
    /// <param name="a">The left factor.</param>
    /// <param name="b">The right factor.</param>
    /// <param name="c">The summand.</param>
    static abstract TSelf FusedMultiplyAdd(TSelf a, TSelf b, TSelf c);

    /// <summary>a 2^n, rounded once.</summary>
    /// <param name="a">0, NaN, or of a size from 2^-30 to 2^30.</param>
    /// <param name="n">A whole number from -200 to 200 in each lane.</param>
    static abstract TSelf ScaleB(TSelf a, TSelf n);

    /// <summary>|a|.</summary>
    /// <param name="a">Any lanes.</param>
    static abstract TSelf Abs(TSelf a);

    /// <summary>The square root; NaN below 0.</summary>
    /// <param name="a">Any lanes.</param>
    static abstract TSelf Sqrt(TSelf a);

    /// <summary>The nearest whole number; the even one of two.</summary>
    /// <param name="a">Any lanes.</param>
    static abstract TSelf Round(TSelf a);

    /// <summary>The largest whole number that is not above a.</summary>
    /// <param name="a">Any lanes.</param>
    static abstract TSelf Floor(TSelf a);

    /// <summary>The natural logarithm.</summary>
    /// <param name="a">Any lanes.</param>
    static abstract TSelf Log(TSelf a);
}

/// <summary>Vector forms of operations that have only a scalar form.</summary>
static class Lanes
{
    public static T Map<T>(T x, Func<float, float> f) where T : struct, IVector<T>
    {
        foreach (ref var lane in Of(ref x)) lane = f(lane);
        return x;
    }

    public static T Map<T>(T a, T b, Func<float, float, float> f) where T : struct, IVector<T>
    {
        Span<float> left = Of(ref a), right = Of(ref b);
        for (var i = 0; i < left.Length; i++) left[i] = f(left[i], right[i]);
        return a;
    }

    public static T Map<T>(T a, T b, T y, Func<float, float, float, float> f) where T : struct, IVector<T>
    {
        Span<float> left = Of(ref a), right = Of(ref b), result = Of(ref y);
        for (var i = 0; i < left.Length; i++) left[i] = f(left[i], right[i], result[i]);
        return a;
    }

    /// <summary>The lanes of a vector in memory.</summary>
    public static Span<float> Of<T>(ref T vector) where T : struct, IVector<T> => MemoryMarshal.Cast<T, float>(new Span<T>(ref vector));
}
