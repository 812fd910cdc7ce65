using QuadEngine.Devices;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class OptimizerTests
{
    static Tensor[] Tensors(int[] lengths, int seed) => [.. lengths.Select((length, i) => Unaligned(Values(length, seed + i), [length]))];

    static double[] All(Tensor[] tensors) => [.. tensors.SelectMany(tensor => tensor.ToArray()).Select(value => (double)value)];

    [TestCase(0f)]
    [TestCase(float.NaN)]
    public void A_gradient_scale_of_nothing_leaves_everything_as_it_is(float nothing)
    {
        Tensor[] w = Tensors([5, 2000], 1), g = [Tensor.Full([5], float.NaN), Tensor.Full([2000], float.PositiveInfinity)], m = Tensors([5, 2000], 2), v = Tensors([5, 2000], 3);
        double[] before = [.. All(w), .. All(m), .. All(v)];
        using var zero = Tensor.Scalar(nothing);
        CpuBackend.Sgd(w, g, m, new SgdStep(0.1f, 0.9f, 0f, 0.01f, false, 2), zero);
        CpuBackend.AdamW(w, g, m, v, new AdamStep(0.01f, 0.9f, 0.999f, 1e-8f, 0.05f, 3), zero);
        Assert.That((double[])[.. All(w), .. All(m), .. All(v)], Is.EqualTo(before));
    }
}
