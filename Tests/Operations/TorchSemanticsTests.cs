namespace QuadEngine.Tests.Operations;

/// <summary>Tests meanings that PyTorch's documentation defines and a formula leaves open. The numbers are computed by hand from the documentation.</summary>
public class TorchSemanticsTests
{
    // momentum 0.1: running = 0.9 running + 0.1 batch; the running variance uses the unbiased variance of the batch, the normalization uses the biased one.
    [Test]
    public void Batch_norm_keeps_an_unbiased_running_variance()
    {
        Tensor x = Tensor.FromArray([1f, 2f, 3f, 6f], [4, 1]), mean = Tensor.Zeros([1]), variance = Tensor.Ones([1]);
        var y = x.BatchNorm(null, null, new RunningStatistics(mean, variance), epsilon: 0f);
        Assert.That(y.ToArray(), Is.EqualTo((float[])[-2f, -1f, 0f, 3f]).Using<float>((a, b) => Math.Abs(a - b / Math.Sqrt(3.5)) < 1e-5));
        Assert.That(mean.Item(), Is.EqualTo(0.3f).Within(1e-6f));
        Assert.That(variance.Item(), Is.EqualTo(0.9f + 0.1f * 14f / 3f).Within(1e-6f));
    }

    [Test]
    public void Batch_norm_behind_a_convolution_updates_its_statistics_once()
    {
        Tensor x = Tensor.FromArray([1f, 2f, 3f, 6f], [1, 2, 2, 1]), one = Tensor.Ones([1, 1, 1, 1]), mean = Tensor.Zeros([1]), variance = Tensor.Ones([1]);
        var z = x.Conv2d(one);
        var y = z.BatchNorm(null, null, new RunningStatistics(mean, variance)).Relu();
        _ = (y.ToArray(), z.ToArray(), (z + y).ToArray());
        Assert.That(mean.Item(), Is.EqualTo(0.3f).Within(1e-6f));
        Assert.That(variance.Item(), Is.EqualTo(0.9f + 0.1f * 14f / 3f).Within(1e-6f));
    }

    [Test]
    public void Average_pooling_counts_the_padding() =>
        Assert.That(Tensor.Full([1, 2, 2, 1], 4f).AvgPool2d(kernelSize: 2, stride: 1, padding: 1).ToArray(), Is.EqualTo((float[])[1, 2, 1, 2, 4, 2, 1, 2, 1]));

    [Test]
    public void Max_pooling_never_chooses_padding_and_gives_the_gradient_to_the_first_of_equals()
    {
        var x = Tensor.Full([1, 2, 2, 1], -3f);
        x.RequiresGrad = true;
        var y = x.MaxPool2d(kernelSize: 2, stride: 2);
        Assert.That(x.MaxPool2d(kernelSize: 2, stride: 1, padding: 1).ToArray(), Is.All.EqualTo(-3f));
        y.Backward(Tensor.Full(y.Shape, 5f));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo((float[])[5, 0, 0, 0]));
    }

    // A dilated window over a single pixel may hold nothing but padding; it must not reach outside of the image.
    [Test]
    public void Max_pooling_of_nothing_but_padding_stays_inside_the_image()
    {
        var x = Tensor.Full([1, 1, 1, 3], 2f);
        x.RequiresGrad = true;
        var y = x.MaxPool2d(kernelSize: 2, stride: 1, padding: 1, dilation: 2);
        Assert.That(y.ToArray(), Is.All.EqualTo(float.NegativeInfinity));
        y.Backward(Tensor.Ones(y.Shape));
        Assert.That(x.Grad!.Length, Is.EqualTo(3));
    }

    // The label has (1 - e) of the weight, and every class has e / C, including the label.
    [Test]
    public void Label_smoothing_spreads_over_all_classes()
    {
        var loss = Losses.CrossEntropy(Tensor.FromArray([0f, 0f, MathF.Log(2f)], [1, 3]), IntTensor.FromArray([2]), smoothing: 0.3f).Item();
        Assert.That(loss, Is.EqualTo(-(0.8 * Math.Log(0.5) + 0.2 * Math.Log(0.25))).Within(1e-6));
    }

    [Test]
    public void Losses_survive_large_logits()
    {
        Assert.That(Losses.CrossEntropy(Tensor.FromArray([1000f, -1000f], [1, 2]), IntTensor.FromArray([0])).Item(), Is.EqualTo(0f));
        Assert.That(Losses.CrossEntropy(Tensor.FromArray([1000f, -1000f], [1, 2]), IntTensor.FromArray([1])).Item(), Is.EqualTo(2000f));
        Assert.That(Losses.BinaryCrossEntropyWithLogits(Tensor.FromArray([500f, -500f], [2]), Tensor.FromArray([0f, 0f], [2])).Item(), Is.EqualTo(250f));
    }

    [Test]
    public void Equal_largest_elements_share_the_gradient()
    {
        var x = Tensor.FromArray([2f, 5f, 5f, 1f], [4]);
        x.RequiresGrad = true;
        x.Max().Backward();
        Assert.That(x.Grad!.ToArray(), Is.EqualTo((float[])[0f, 0.5f, 0.5f, 0f]));
    }

    [Test]
    public void Dropout_keeps_the_mean_and_drops_the_share_asked_for()
    {
        var y = Tensor.Ones([100_000]).Dropout(0.3f, new Generator(3)).ToArray();
        Assert.That(y.Count(value => value == 0f) / 1e5, Is.EqualTo(0.3).Within(0.01));
        Assert.That(y.Average(), Is.EqualTo(1.0).Within(0.01));
    }

    [Test]
    public void Where_ignores_a_value_that_is_not_chosen_even_if_it_is_not_a_number()
    {
        Tensor x = Tensor.FromArray([-1f, 4f], [2]);
        x.RequiresGrad = true;
        var y = x.Greater(0f).Where(x.Sqrt(), Tensor.Zeros([2]));
        Assert.That(y.ToArray(), Is.EqualTo((float[])[0f, 2f]));
    }
}
