namespace QuadEngine.Tests.Gpu;

/// <summary>If a label is not a class, no kernel reads at the address that it would give.</summary>
public class LabelTests
{
    [Test]
    public void Of_the_host_is_refused() => Assert.That(() => Loss(IntTensor.FromArray([0, 3])), Throws.ArgumentException.With.Message.Contains("label of row 1 is 3"));

    [TestCase(3)]
    [TestCase(-1)]
    [TestCase(int.MinValue)]
    [TestCase(1 << 28)]
    public void Of_the_device_gives_no_number(int label)
    {
        Assert.That(Loss(IntTensor.FromArray([0, label], TestDevices.OpenCl)).Item(), Is.NaN);
        Assert.That(Loss(IntTensor.FromArray([0, 2], TestDevices.OpenCl)).Item(), Is.EqualTo(MathF.Log(3)).Within(1e-6f));
    }

    static Tensor Loss(IntTensor labels) => Losses.CrossEntropy(Tensor.Ones([2, 3], TestDevices.OpenCl), labels);
}
