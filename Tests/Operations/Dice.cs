using QuadEngine.Tests.Formats;

namespace QuadEngine.Tests.Operations;

/// <summary>Random shapes, arguments and values; a seed always gives the same ones.</summary>
/// <param name="seed">The seed.</param>
/// <param name="large">Whether extents are as in a network, for benchmarks and for kernels that split their work; else there are a few elements.</param>
public sealed class Dice(ulong seed, bool large = false)
{
    readonly SplitMix64 bits = new(seed * 0x9E3779B9 + 1);

    public ulong Seed { get; } = seed;

    public int Between(int low, int high) => low + bits.Below(high - low + 1);

    public bool Coin() => Between(0, 1) == 1;

    public T OneOf<T>(params ReadOnlySpan<T> choices) => choices[Between(0, choices.Length - 1)];

    /// <summary>Draws a number from 1 to <paramref name="high"/>, odd or even; up to 16 times that if large.</summary>
    public int Extent(int high) => Between(1, large ? 16 * high : high);

    /// <summary>Draws a shape of any rank in the range, sometimes with extents of 1.</summary>
    public Shape Shape(int minRank = 0, int maxRank = 5)
    {
        var rank = Between(minRank, maxRank);
        return Enumerable.Range(0, rank).Select(_ => Extent(rank > 3 ? 3 : 7)).ToArray();
    }

    /// <summary>Draws a shape that broadcasts to the given one: some axes have extent 1, and leading axes may be missing.</summary>
    public Shape Broadcastable(Shape to)
    {
        var missing = Coin() ? Between(0, to.Rank) : 0;
        return to.Skip(missing).Select(extent => Between(0, 2) == 0 ? 1 : extent).ToArray();
    }

    public double Number(double low, double high) => low + (high - low) * (bits.Next() >> 11) / (1L << 53);

    /// <summary>Draws uniform values.</summary>
    public Tensor Values(Shape shape, double low = -1.5, double high = 1.5) =>
        Tensor.FromArray([.. Enumerable.Range(0, shape.Elements).Select(_ => (float)Number(low, high))], shape);

    /// <summary>Draws values of both signs at a distance of at least <paramref name="gap"/> from 0, where many functions have a kink.</summary>
    public Tensor AwayFromZero(Shape shape, double gap = 0.2, double high = 1.5) =>
        Tensor.FromArray([.. Enumerable.Range(0, shape.Elements).Select(_ => (float)(Number(gap, high) * (Coin() ? 1 : -1)))], shape);

    /// <summary>Draws 0, 1, ... in random order.</summary>
    public int[] Order(int count)
    {
        var order = Enumerable.Range(0, count).ToArray();
        for (var i = order.Length - 1; i > 0; i--)
        {
            var j = Between(0, i);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    /// <summary>Draws values in random order. They differ enough that the steps of <see cref="GradCheck"/>, at most 0.08 max(1, |x|), do not change their order.</summary>
    public float[] Distinct(int count) => [.. Order(count).Select(place =>
    {
        var fromMiddle = 0.1 * (place - count / 2);
        return (float)(Math.Abs(fromMiddle) <= 1 ? fromMiddle : Math.Sign(fromMiddle) * Math.Pow(1.1, (Math.Abs(fromMiddle) - 1) / 0.1));
    })];

    public IntTensor Labels(int rows, int classes) => IntTensor.FromArray([.. Enumerable.Range(0, rows).Select(_ => Between(0, classes - 1))]);
}
