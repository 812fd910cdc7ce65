using CsCheck;
using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class ReductionTests
{
    [Test]
    public void Sum_of_a_million_equal_numbers_is_right_to_the_last_bits()
    {
        using Tensor x = Tensor.Full([1_000_003], 0.1f), y = Result([]);
        CpuBackend.Reduce<SumOp>(x, 1, x.Length, 1, y);
        AssertClose(y.ToArray(), [1_000_003 * (double)0.1f], tolerance: 2e-7);
    }

    [Test]
    public void Norm_covers_all_tensors() => Gen.Select(Gen.Int[0, 40_000].Array[0, 3], Seeds).ForAll((lengths, seed) =>
    {
        var values = lengths.Select((length, i) => Values(length, seed + i, deviation: 1e25f)).ToArray();
        var tensors = values.Select(value => Unaligned(value, [value.Length])).ToArray();
        var y = SameOnAnyThreads(() => { var y = Result([1]); CpuBackend.Norm(tensors, y); return y; });
        AssertClose(y, [Math.Sqrt(values.SelectMany(value => value).Sum(value => (double)value * value))], tolerance: 1e-7);
        foreach (var tensor in tensors) tensor.Dispose();
    }, iterations: 30);
}
