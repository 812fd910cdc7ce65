using CsCheck;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class ReductionTests
{
    static readonly Gen<(int Outer, int N, int Inner)> Extents = Gen.Frequency(
        (12, Gen.Select(Gen.Int[0, 9], Gen.Int[1, 50], Gen.Int[0, 20])),
        (1, Gen.Select(Gen.Int[1, 2], Gen.Int[30_000, 100_000], Gen.Const(1))),
        (1, Gen.Select(Gen.Const(1), Gen.Int[1, 5000], Gen.OneOf(3, 16, 17, 33))),
        (1, Gen.Select(Gen.Int[1, 2], Gen.Int[1, 90], Gen.Int[900, 2500])),
        (1, Gen.Select(Gen.Int[500, 2000], Gen.Int[1, 20], Gen.Const(1))));

    static double[] Fold(float[] x, (int Outer, int N, int Inner) e, double identity, Func<double, double, double> combine)
    {
        var y = new double[e.Outer * e.Inner];
        Array.Fill(y, identity);
        for (var i = 0; i < x.Length; i++)
        {
            var at = i / (e.N * e.Inner) * e.Inner + i % e.Inner;
            y[at] = combine(y[at], x[i]);
        }

        return y;
    }

    [Test]
    public void Sum_is_accurate_over_any_axis() => Gen.Select(Extents, Seeds).ForAll((e, seed) =>
    {
        var values = Values(e.Outer * e.N * e.Inner, seed, mean: 1f);
        using var x = Unaligned(values, [values.Length]);
        var y = SameOnAnyThreads(() => { var y = Result([e.Outer * e.Inner]); CpuBackend.Reduce<Sum>(x, e.Outer, e.N, e.Inner, y); return y; });
        AssertClose(y, Fold(values, e, 0, (a, b) => a + b), tolerance: 5e-7, scale: e.N);
    });

    [Test]
    public void Max_and_Min_are_exact_over_any_axis() => Gen.Select(Extents, Seeds).ForAll((e, seed) =>
    {
        var values = Values(e.Outer * e.N * e.Inner, seed, mean: -3f);
        using Tensor x = Unaligned(values, [values.Length]), y = Result([e.Outer * e.Inner]);
        CpuBackend.Reduce<Max>(x, e.Outer, e.N, e.Inner, y);
        AssertClose(y.ToArray(), Fold(values, e, double.NegativeInfinity, Math.Max), tolerance: 0);
        CpuBackend.Reduce<Min>(x, e.Outer, e.N, e.Inner, y);
        AssertClose(y.ToArray(), Fold(values, e, double.PositiveInfinity, Math.Min), tolerance: 0);
    });

    [Test]
    public void Sum_of_a_million_equal_numbers_is_right_to_the_last_bits()
    {
        using Tensor x = Tensor.Full([1_000_003], 0.1f), y = Result([]);
        CpuBackend.Reduce<Sum>(x, 1, x.Length, 1, y);
        AssertClose(y.ToArray(), [1_000_003 * (double)0.1f], tolerance: 2e-7);
    }

    [Test]
    public void The_fold_of_nothing_is_the_identity()
    {
        using Tensor x = Result([0]), y = Result([3]);
        CpuBackend.Reduce<Sum>(x, 3, 0, 1, y);
        Assert.That(y.ToArray(), Is.All.EqualTo(0f));
    }

    [Test]
    public void ArgMax_is_the_first_of_the_largest() => Gen.Select(Extents, Seeds).ForAll((e, seed) =>
    {
        // Few different values, so that equals are common; a NaN now and then.
        var values = Values(e.Outer * e.N * e.Inner, seed).Select(value => value > 2f ? float.NaN : MathF.Round(value)).ToArray();
        using var x = Unaligned(values, [values.Length]);
        using var y = IntTensor.Empty([e.Outer * e.Inner]);
        CpuBackend.ArgMax(x, e.Outer, e.N, e.Inner, y);
        var expected = Enumerable.Range(0, e.Outer * e.Inner).Select(at =>
        {
            var row = Enumerable.Range(0, e.N).Select(i => values[(at / e.Inner * e.N + i) * e.Inner + at % e.Inner]).ToList();
            return row.Exists(float.IsNaN) ? row.FindIndex(float.IsNaN) : row.IndexOf(row.Max());
        });
        Assert.That(y.ToArray(), Is.EqualTo(expected));
    });

    [Test]
    public void SumOfSquares_covers_all_tensors() => Gen.Select(Gen.Int[0, 40_000].Array[0, 3], Seeds).ForAll((lengths, seed) =>
    {
        var values = lengths.Select((length, i) => Values(length, seed + i, deviation: 1e18f)).ToArray();
        var tensors = values.Select(value => Unaligned(value, [value.Length])).ToArray();
        var y = SameOnAnyThreads(() => { var y = Result([1]); CpuBackend.SumOfSquares(tensors, y); return y; });
        AssertClose(y, [values.SelectMany(value => value).Sum(value => (double)value * value)], tolerance: 1e-7);
        foreach (var tensor in tensors) tensor.Dispose();
    }, iterations: 30);
}
