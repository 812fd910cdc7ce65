using CsCheck;
using QuadEngine.Devices;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class OptimizerTests
{
    static readonly Gen<int[]> Lengths = Gen.Frequency((4, Gen.Int[0, 50].Array[1, 4]), (1, Gen.Int[30_000, 70_000].Array[1, 2]));

    static Tensor[] Tensors(int[] lengths, int seed, bool positive = false) =>
        [.. lengths.Select((length, i) => Unaligned([.. Values(length, seed + i).Select(value => positive ? Math.Abs(value) : value)], [length]))];

    static double[] All(Tensor[] tensors) => [.. tensors.SelectMany(tensor => tensor.ToArray()).Select(value => (double)value)];

    static float[] Singles(Tensor[] tensors) => [.. tensors.SelectMany(tensor => tensor.ToArray())];

    [Test]
    public void Sgd_steps_by_its_equation() => Gen.Select(Lengths, Gen.Select(Gen.Bool, Gen.Bool, Gen.Bool), Seeds).ForAll((lengths, options, seed) =>
    {
        var (momentum, nesterov, first) = options;
        var step = new SgdStep(0.1f, momentum ? 0.9f : 0f, nesterov ? 0f : 0.2f, 0.01f, nesterov, first);
        Tensor[] w = Tensors(lengths, seed), g = Tensors(lengths, seed + 10), v = Tensors(lengths, seed + 20);
        double[] oldW = All(w), oldG = All(g), oldV = All(v);
        CpuBackend.Sgd(w, g, momentum ? v : [], step, Tensor.Scalar(0.5f));

        var gradient = oldW.Zip(oldG, (weight, d) => 0.5 * d + 0.01 * weight).ToArray();
        var velocity = gradient.Zip(oldV, (d, old) => first ? d : 0.9 * old + (nesterov ? 1 : 0.8) * d).ToArray();
        AssertClose(Singles(v), momentum ? velocity : oldV);
        AssertClose(Singles(w), [.. oldW.Select((weight, i) => weight - 0.1 * (!momentum ? gradient[i] : nesterov ? gradient[i] + 0.9 * velocity[i] : velocity[i]))]);
    });

    [TestCase(0f)]
    [TestCase(float.NaN)]
    public void A_gradient_scale_of_nothing_leaves_everything_as_it_is(float nothing)
    {
        Tensor[] w = Tensors([5, 2000], 1), g = [Tensor.Full([5], float.NaN), Tensor.Full([2000], float.PositiveInfinity)], m = Tensors([5, 2000], 2), v = Tensors([5, 2000], 3);
        double[] before = [.. All(w), .. All(m), .. All(v)];
        using var zero = Tensor.Scalar(nothing);
        CpuBackend.Sgd(w, g, m, new SgdStep(0.1f, 0.9f, 0f, 0.01f, false, false), zero);
        CpuBackend.AdamW(w, g, m, v, new AdamStep(0.01f, 0.9f, 0.999f, 1e-8f, 0.05f, 3), zero);
        Assert.That((double[])[.. All(w), .. All(m), .. All(v)], Is.EqualTo(before));
    }

    [Test]
    public void AdamW_steps_by_its_equation() => Gen.Select(Lengths, Gen.Int[1, 1000], Seeds).ForAll((lengths, count, seed) =>
    {
        var step = new AdamStep(0.01f, 0.9f, 0.999f, 1e-8f, 0.05f, count);
        Tensor[] w = Tensors(lengths, seed), g = Tensors(lengths, seed + 10), m = Tensors(lengths, seed + 20), v = Tensors(lengths, seed + 30, positive: true);
        double[] oldW = All(w), oldG = All(g), oldM = All(m), oldV = All(v);
        CpuBackend.AdamW(w, g, m, v, step, Tensor.Scalar(2f));

        var first = oldM.Zip(oldG, (old, d) => 0.9 * old + 0.1 * 2 * d).ToArray();
        var second = oldV.Zip(oldG, (old, d) => 0.999 * old + 0.001 * 4 * d * d).ToArray();
        AssertClose(Singles(m), first);
        AssertClose(Singles(v), second);
        AssertClose(Singles(w), [.. oldW.Select((weight, i) => weight * (1 - 0.01 * 0.05)
            - 0.01 * first[i] / (1 - Math.Pow(0.9, count)) / (Math.Sqrt(second[i] / (1 - Math.Pow(0.999, count))) + 1e-8))], tolerance: 1e-5);
    });
}
