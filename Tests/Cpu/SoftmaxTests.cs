using static QuadEngine.Tests.Cpu.KernelCase;

namespace QuadEngine.Tests.Cpu;

public class SoftmaxTests
{
    [TestCase(-1)]
    [TestCase(10)]
    public void A_label_out_of_range_is_named(int wrong)
    {
        using Tensor logits = Tensor.Zeros([3, 10]), probabilities = Result([3, 10]), losses = Result([3]);
        using var labels = IntTensor.FromArray([0, wrong, 2]);
        var error = Assert.Throws<ArgumentException>(() => CpuBackend.CrossEntropy(logits, labels, 0f, probabilities, losses))!;
        Assert.That(error.Message, Does.Contain("row 1").And.Contain($" {wrong},").And.Contain("10 classes"));
    }

    [Test]
    public void Impossible_classes_have_probability_zero()
    {
        using Tensor x = Unaligned([float.NegativeInfinity, 0f, 0f], [1, 3]), y = Result([1, 3]);
        CpuBackend.Softmax(x, false, y);
        Assert.That(y.ToArray(), Is.EqualTo((float[])[0f, 0.5f, 0.5f]));
    }
}
