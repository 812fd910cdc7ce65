using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class ElementwiseTests
{
    [Test]
    public void Binary_backward_writes_only_what_is_wanted()
    {
        using Tensor dy = Unaligned([1f, 2f, 3f], [3]), db = Result([3]);
        CpuBackend.BinaryBackward<SubtractOp>(dy, null, null, null, null, db);
        Assert.That(db.ToArray(), Is.EqualTo((float[])[-1f, -2f, -3f]));
    }

    [Test]
    public void Bits_of_an_element_do_not_depend_on_its_place()
    {
        var values = Values(100, seed: 7);
        using var x = Unaligned(values, [100]);
        using var y = Result([100]);
        CpuBackend.Unary<GeluOp>(x, y);
        var whole = y.ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            using Tensor alone = Unaligned([values[i]], [1]), result = Result([1]);
            CpuBackend.Unary<GeluOp>(alone, result);
            Assert.That(BitConverter.SingleToInt32Bits(result.Item()), Is.EqualTo(BitConverter.SingleToInt32Bits(whole[i])), $"element {i}");
        }
    }
}
