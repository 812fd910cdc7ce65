using CsCheck;
using QuadEngine.Tests.Oracles;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class ElementwiseTests
{
    /// <summary>Neither symmetric nor linear, and its derivatives read everything: an operand taken for another is seen.</summary>
    readonly struct Probe : IBinaryOp<Probe>
    {
        public static string Name => "probe";

        public static Saves Saves => Saves.Input | Saves.Output;

        public static float F(float a, float b) => a * b - 2f * b + 0.5f * a;

        public static float DerivativeA(float a, float b, float y) => b + 0.25f * a + y;

        public static float DerivativeB(float a, float b, float y) => a - 2f * b - y;
    }

    readonly struct Curve : IUnaryOp<Curve>
    {
        public static string Name => "curve";

        public static Saves Saves => Saves.Input | Saves.Output;

        public static float F(float x) => x * x + 3f * x;

        public static float Derivative(float x, float y) => 2f * x - y;
    }

    static readonly Gen<int> Lengths = Gen.Frequency((5, Gen.Int[0, 70]), (1, Gen.Int[30_000, 70_000]));

    static readonly Gen<(int[] Shape, int[] A, int[] B, int Seed)> Broadcasts =
        from extents in Gen.Int[1, 6].Array[0, 6]
        from large in Gen.Int[0, 3000]
        from grow in Gen.Bool
        from cutA in Gen.Int[0, 2]
        from cutB in Gen.Int[0, 2]
        from maskA in Gen.Int[0, 63]
        from maskB in Gen.Int[0, 63]
        from seed in Seeds
        let shape = grow && extents.Length > 0 ? [.. extents[..^1], large] : extents
        select (shape, Operand(shape, cutA, maskA & ~maskB), Operand(shape, cutB, maskB), seed);

    // Leading axes cut off where the other operand may lack them too, some of the others 1.
    static int[] Operand(int[] shape, int cut, int mask)
    {
        var kept = shape[Math.Min(cut, shape.Length)..];
        for (var axis = 0; axis < kept.Length; axis++)
            if ((mask >> axis & 1) != 0) kept[axis] = 1;
        return kept;
    }

    [Test]
    public void Unary_and_its_gradient_equal_the_scalar_function() => Gen.Select(Lengths, Seeds).ForAll((length, seed) =>
    {
        float[] values = Values(length, seed), upstream = Values(length, seed + 1);
        using var x = Unaligned(values, [length]);
        using var dy = Unaligned(upstream, [length]);
        var y = SameOnAnyThreads(() => { var y = Result([length]); CpuBackend.Unary<Curve>(x, y); return y; });
        Assert.That(y, Is.EqualTo(values.Select(Curve.F)));

        using var output = Unaligned(y, [length]);
        CpuBackend.UnaryBackward<Curve>(dy, x, output, dy);
        Assert.That(dy.ToArray(), Is.EqualTo(values.Select((value, i) => upstream[i] * Curve.Derivative(value, y[i]))));
        CpuBackend.Unary<Curve>(x, x);
        Assert.That(x.ToArray(), Is.EqualTo(y), "in place");
    });

    [Test]
    public void Binary_broadcasts_any_two_shapes() => Broadcasts.ForAll(sample =>
    {
        Shape left = sample.A, right = sample.B, shape = Shape.Broadcast(left, right, "test");
        float[] a = Values(left.Elements, sample.Seed), b = Values(right.Elements, sample.Seed + 1);
        using var x = Unaligned(a, left);
        using var z = Unaligned(b, right);
        double[] fullA = Broadcast.Expand(a, left, shape), fullB = Broadcast.Expand(b, right, shape);

        var y = SameOnAnyThreads(() => { var y = Result(shape); CpuBackend.Binary<Probe>(x, z, y); return y; });
        Assert.That(y, Is.EqualTo(fullA.Zip(fullB, (p, q) => Probe.F((float)p, (float)q))));

        var d = Values(shape.Elements, sample.Seed + 2);
        using Tensor dy = Unaligned(d, shape), output = Unaligned(y, shape), da = Result(shape), db = Result(shape);
        CpuBackend.BinaryBackward<Probe>(dy, x, z, output, da, db);
        Assert.That(da.ToArray(), Is.EqualTo(d.Select((value, i) => value * Probe.DerivativeA((float)fullA[i], (float)fullB[i], y[i]))));
        Assert.That(db.ToArray(), Is.EqualTo(d.Select((value, i) => value * Probe.DerivativeB((float)fullA[i], (float)fullB[i], y[i]))));

        if (left != shape) return;
        CpuBackend.Binary<Probe>(x, z, x);
        Assert.That(x.ToArray(), Is.EqualTo(y), "in place");
    }, iterations: 200);

    [Test]
    public void Binary_backward_writes_only_what_is_wanted()
    {
        using Tensor dy = Unaligned([1f, 2f, 3f], [3]), db = Result([3]);
        CpuBackend.BinaryBackward<Subtract>(dy, null, null, null, null, db);
        Assert.That(db.ToArray(), Is.EqualTo((float[])[-1f, -2f, -3f]));
    }

    [Test]
    public void Binary_with_a_number_equals_the_scalar_function() => Gen.Select(Lengths, Seeds).ForAll((length, seed) =>
    {
        float[] values = Values(length, seed), upstream = Values(length, seed + 1);
        using Tensor x = Unaligned(values, [length]), dy = Unaligned(upstream, [length]), y = Result([length]);
        CpuBackend.BinaryScalar<Probe>(x, 1.5f, y);
        Assert.That(y.ToArray(), Is.EqualTo(values.Select(value => Probe.F(value, 1.5f))));
        CpuBackend.BinaryScalarBackward<Probe>(dy, x, 1.5f, y, dy);
        Assert.That(dy.ToArray(), Is.EqualTo(values.Select((value, i) => upstream[i] * Probe.DerivativeA(value, 1.5f, Probe.F(value, 1.5f)))));
    });

    [Test]
    public void AddScaled_reads_y_only_where_it_has_weight() => Gen.Select(Lengths, Seeds, Gen.Bool).ForAll((length, seed, keep) =>
    {
        float[] values = Values(length, seed), before = Values(length, seed + 1);
        using Tensor x = Unaligned(values, [length]), y = keep ? Unaligned(before, [length]) : Result([length]);
        CpuBackend.AddScaled(0.75f, x, keep ? -2f : 0f, y);
        Assert.That(y.ToArray(), Is.EqualTo(values.Select((value, i) => keep ? 0.75f * value + -2f * before[i] : 0.75f * value)));
    });

    [Test]
    public void Bits_of_an_element_do_not_depend_on_its_place()
    {
        var values = Values(100, seed: 7);
        using var x = Unaligned(values, [100]);
        using var y = Result([100]);
        CpuBackend.Unary<Gelu>(x, y);
        var whole = y.ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            using Tensor alone = Unaligned([values[i]], [1]), result = Result([1]);
            CpuBackend.Unary<Gelu>(alone, result);
            Assert.That(BitConverter.SingleToInt32Bits(result.Item()), Is.EqualTo(BitConverter.SingleToInt32Bits(whole[i])), $"element {i}");
        }
    }
}
