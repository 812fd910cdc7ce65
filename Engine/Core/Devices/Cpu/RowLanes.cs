using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Devices.Cpu;

/// <summary>The terms of one or two folds over a row.</summary>
interface IRowTerms
{
    /// <summary>Whether there is a second fold.</summary>
    static virtual bool HasSecond => false;

    /// <summary>The terms of one vector of elements.</summary>
    /// <param name="i">The first element.</param>
    /// <param name="lanes">All lanes of the vector, or the first few at the end of the row.</param>
    /// <param name="second">The term of the second fold; not read if there is none.</param>
    /// <returns>The term of the first fold.</returns>
    T Terms<T, TLanes>(nint i, TLanes lanes, out T second) where T : struct, IVector<T> where TLanes : struct, ILanes<T>;
}

/// <summary>
/// Folds over a row. Element i is folded into lane i mod 32, and at the end the lanes are folded by halves. So the result does not depend on the width of the registers that hold the lanes.
/// </summary>
static unsafe class RowLanes
{
    /// <summary>The number of lanes: four vectors of 256 bits, enough to hide the latency of an addition.</summary>
    const int Count = 32;

    /// <summary>The number of elements that the lanes collect before they are added up in double: 16 per lane. So the error of the sum is at most 16 half units in the last place, even if all roundings go in one direction.</summary>
    const int Block = 16 * Count;

    /// <summary>The largest number in a row. Some machines skip NaN, others return it.</summary>
    public static float Largest(float* x, int length) => Collect<LargestNumber, ValueTerms>(new(x), 0, length, null).First;

    // One instruction where MaxOp, which keeps NaN, needs four.
    readonly struct LargestNumber : IReduction<LargestNumber>
    {
        public static string Name => "largest number";

        public static float Identity => float.NegativeInfinity;

        public static float Combine(float a, float b) => MathF.Max(a, b);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static T Combine<T>(T a, T b) where T : struct, IVector<T> => T.Max(b, a);
    }

    /// <summary>The sum of the first terms over a row of any length.</summary>
    public static double Sum<TTerms>(TTerms terms, int length) where TTerms : struct, IRowTerms => Sums(terms, length).First;

    /// <summary>The sums of both terms over a row of any length.</summary>
    public static (double First, double Second) Sums<TTerms>(TTerms terms, int length) where TTerms : struct, IRowTerms =>
        length > Block ? LongSums(terms, length) : Collect<SumOp, TTerms>(terms, 0, length, null);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static (double First, double Second) LongSums<TTerms>(TTerms terms, int length) where TTerms : struct, IRowTerms
    {
        var lanes = stackalloc float[2 * Count];
        var totals = stackalloc double[2 * Count];
        new Span<double>(totals, 2 * Count).Clear();
        for (nint start = 0; start < length; start += Block)
        {
            Collect<SumOp, TTerms>(terms, start, Math.Min(Block, length - start), lanes);
            for (var lane = 0; lane < 2 * Count; lane += Vector256<float>.Count)
            {
                var (low, high) = Vector256.Widen(Vector256.Load(lanes + lane));
                (Vector256.Load(totals + lane) + low).Store(totals + lane);
                (Vector256.Load(totals + lane + Vector256<double>.Count) + high).Store(totals + lane + Vector256<double>.Count);
            }
        }

        var (first, second) = (0.0, 0.0);
        for (var lane = 0; lane < Count; lane++) (first, second) = (first + totals[lane], second + totals[Count + lane]);
        return (first, second);
    }

    // The folds of the lanes; if there is memory for them, the lanes themselves, those of the first fold and then those of the second.
    static (float First, float Second) Collect<TOp, TTerms>(in TTerms terms, nint start, nint length, float* lanes) where TOp : struct, IReduction<TOp> where TTerms : struct, IRowTerms
    {
        if (Vector512.IsHardwareAccelerated) return Collect<TOp, TTerms, Register512>(terms, start, length, lanes);
        if (Vector256.IsHardwareAccelerated) return Collect<TOp, TTerms, Register256>(terms, start, length, lanes);
        return Collect<TOp, TTerms, Register128>(terms, start, length, lanes);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    static (float First, float Second) Collect<TOp, TTerms, T>(in TTerms given, nint start, nint length, float* lanes)
        where TOp : struct, IReduction<TOp>
        where TTerms : struct, IRowTerms
        where T : struct, IRegister<T>
    {
        var terms = given;
        T identity = T.Broadcast(TOp.Identity);
        T a = identity, b = identity, c = identity, d = identity, e = identity, f = identity, g = identity, h = identity;
        T a2 = identity, b2 = identity, c2 = identity, d2 = identity, e2 = identity, f2 = identity, g2 = identity, h2 = identity;
        nint i = start, end = start + length;
        for (; i <= end - Count; i += Count)
        {
            Add<TOp, TTerms, T>(terms, i, ref a, ref a2);
            Add<TOp, TTerms, T>(terms, i + T.Count, ref b, ref b2);
            if (T.Count <= 8)
            {
                Add<TOp, TTerms, T>(terms, i + 2 * T.Count, ref c, ref c2);
                Add<TOp, TTerms, T>(terms, i + 3 * T.Count, ref d, ref d2);
            }

            if (T.Count <= 4)
            {
                Add<TOp, TTerms, T>(terms, i + 4 * T.Count, ref e, ref e2);
                Add<TOp, TTerms, T>(terms, i + 5 * T.Count, ref f, ref f2);
                Add<TOp, TTerms, T>(terms, i + 6 * T.Count, ref g, ref g2);
                Add<TOp, TTerms, T>(terms, i + 7 * T.Count, ref h, ref h2);
            }
        }

        if (i < end)
        {
            AddFirst<TOp, TTerms, T>(terms, i, end, ref a, ref a2);
            AddFirst<TOp, TTerms, T>(terms, i + T.Count, end, ref b, ref b2);
            if (T.Count <= 8)
            {
                AddFirst<TOp, TTerms, T>(terms, i + 2 * T.Count, end, ref c, ref c2);
                AddFirst<TOp, TTerms, T>(terms, i + 3 * T.Count, end, ref d, ref d2);
            }

            if (T.Count <= 4)
            {
                AddFirst<TOp, TTerms, T>(terms, i + 4 * T.Count, end, ref e, ref e2);
                AddFirst<TOp, TTerms, T>(terms, i + 5 * T.Count, end, ref f, ref f2);
                AddFirst<TOp, TTerms, T>(terms, i + 6 * T.Count, end, ref g, ref g2);
                AddFirst<TOp, TTerms, T>(terms, i + 7 * T.Count, end, ref h, ref h2);
            }
        }

        if (lanes is null) return (Fold<TOp, T>(a, b, c, d, e, f, g, h), TTerms.HasSecond ? Fold<TOp, T>(a2, b2, c2, d2, e2, f2, g2, h2) : 0f);
        Store(lanes, a, b, c, d, e, f, g, h);
        Store(lanes + Count, a2, b2, c2, d2, e2, f2, g2, h2);
        return default;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Add<TOp, TTerms, T>(in TTerms terms, nint i, ref T first, ref T second)
        where TOp : struct, IReduction<TOp>
        where TTerms : struct, IRowTerms
        where T : struct, IRegister<T>
    {
        first = TOp.Combine(first, terms.Terms(i, default(AllLanes<T>), out T term));
        if (TTerms.HasSecond) second = TOp.Combine(second, term);
    }

    // The elements from i on that are left in the row, and are fewer than a register or none.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void AddFirst<TOp, TTerms, T>(in TTerms terms, nint i, nint end, ref T first, ref T second)
        where TOp : struct, IReduction<TOp>
        where TTerms : struct, IRowTerms
        where T : struct, IRegister<T>
    {
        if (i >= end) return;
        var count = (int)Math.Min(T.Count, end - i);
        T identity = T.Broadcast(TOp.Identity), mask = T.First(count), term = terms.Terms(i, new FirstLanes<T>(count), out T other);
        first = TOp.Combine(first, T.Select(mask, term, identity));
        if (TTerms.HasSecond) second = TOp.Combine(second, T.Select(mask, other, identity));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static float Fold<TOp, T>(T a, T b, T c, T d, T e, T f, T g, T h) where TOp : struct, IReduction<TOp> where T : struct, IRegister<T>
    {
        if (T.Count <= 4) (a, b, c, d) = (TOp.Combine(a, e), TOp.Combine(b, f), TOp.Combine(c, g), TOp.Combine(d, h));
        if (T.Count <= 8) (a, b) = (TOp.Combine(a, c), TOp.Combine(b, d));
        return TOp.Combine(a, b).Fold<TOp>();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    static void Store<T>(float* lanes, T a, T b, T c, T d, T e, T f, T g, T h) where T : struct, IRegister<T>
    {
        a.Store(lanes);
        b.Store(lanes + T.Count);
        if (T.Count <= 8)
        {
            c.Store(lanes + 2 * T.Count);
            d.Store(lanes + 3 * T.Count);
        }

        if (T.Count <= 4)
        {
            e.Store(lanes + 4 * T.Count);
            f.Store(lanes + 5 * T.Count);
            g.Store(lanes + 6 * T.Count);
            h.Store(lanes + 7 * T.Count);
        }
    }
}

/// <summary>x.</summary>
readonly unsafe struct ValueTerms(float* x) : IRowTerms
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Terms<T, TLanes>(nint i, TLanes lanes, out T second) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        second = default;
        return lanes.Load(x + i);
    }
}

/// <summary>x y.</summary>
readonly unsafe struct ProductTerms(float* x, float* y) : IRowTerms
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Terms<T, TLanes>(nint i, TLanes lanes, out T second) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        second = default;
        return lanes.Load(x + i) * lanes.Load(y + i);
    }
}

/// <summary>x - shift, and its square.</summary>
readonly unsafe struct DeviationTerms(float* x, float shift) : IRowTerms
{
    public static bool HasSecond => true;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public T Terms<T, TLanes>(nint i, TLanes lanes, out T second) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var d = lanes.Load(x + i) - shift;
        second = d * d;
        return d;
    }
}
