using QuadEngine.Operations;

namespace QuadEngine.Tests.Cpu;

/// <summary>
/// If a filter is used again unchanged, its arrangement for the kernel is kept. Only time and memory show this.
/// Two filters are transformed: one fits in a core's cache and one does not. The third is packed for a convolution, the fourth for a matrix product.
/// </summary>
[TestFixture(3, 16, 32)]
[TestFixture(3, 128, 128)]
[TestFixture(3, 130, 260)]
[TestFixture(1, 300, 260)]
public class KeptFilterTests(int window, int inputs, int outputs)
{
    int[] ImageShape => [4, 8, 8, inputs];

    int[] FilterShape => [window, window, inputs, outputs];

    Tensor Image() => Tensor.Uniform(ImageShape, generator: new Generator(1));

    float[] Convolve(Tensor image, Tensor filter)
    {
        using var y = image.Conv2d(filter, padding: window / 2);
        return y.ToArray();
    }

    float[] Fresh(Tensor image, float[] filter)
    {
        using var unused = Tensor.FromArray(filter, FilterShape);
        return Convolve(image, unused);
    }

    float[] Values(ulong seed)
    {
        using var values = Tensor.Uniform(FilterShape, generator: new Generator(seed));
        return values.ToArray();
    }

    [Test]
    public void It_gives_the_bits_of_one_used_for_the_first_time()
    {
        using Tensor image = Image(), filter = Tensor.FromArray(Values(2), FilterShape);
        var expected = Fresh(image, Values(2));
        for (var use = 1; use <= 4; use++) Assert.That(Convolve(image, filter), Is.EqualTo(expected), $"use {use}");
    }

    [Test]
    public void It_is_made_again_when_the_filter_was_written()
    {
        using Tensor image = Image(), filter = Tensor.FromArray(Values(2), FilterShape);
        for (ulong seed = 3; seed < 6; seed++)
        {
            for (var use = 0; use < 3; use++) Convolve(image, filter);
            filter.Assign(Values(seed));
            for (var use = 1; use <= 3; use++) Assert.That(Convolve(image, filter), Is.EqualTo(Fresh(image, Values(seed))), $"use {use} after it was written");
        }
    }

    [Test]
    public void It_is_made_again_after_a_step_of_an_optimizer()
    {
        using var image = Image();
        var filter = new Parameter(Tensor.FromArray(Values(2), FilterShape));
        var sgd = new Sgd([filter], 0.1f);
        for (var use = 0; use < 3; use++) Convolve(image, filter);
        using (var loss = image.Conv2d(filter, padding: window / 2).Square().Mean()) loss.Backward();
        sgd.Step();
        Assert.That(Convolve(image, filter), Is.EqualTo(Fresh(image, filter.ToArray())));
    }

    [Test]
    public void Slices_of_one_tensor_have_filters_of_their_own()
    {
        using Tensor image = Image(), both = Tensor.FromArray([.. Values(2), .. Values(3)], [2 * window, window, inputs, outputs]);
        using Tensor first = both.Slice(0, 0, window), second = both.Slice(0, window, window);
        for (var use = 1; use <= 3; use++)
        {
            Assert.That(Convolve(image, first), Is.EqualTo(Fresh(image, Values(2))), $"first, use {use}");
            Assert.That(Convolve(image, second), Is.EqualTo(Fresh(image, Values(3))), $"second, use {use}");
            Assert.That(Convolve(image, second), Is.EqualTo(Fresh(image, Values(3))), $"second, use {use}, again");
        }
    }

    [Test]
    public void Its_memory_goes_back_when_the_filter_is_written_or_dropped()
    {
        using var image = Image();
        var before = PoolMemory.InUse();
        var filter = Tensor.FromArray(Values(2), FilterShape);
        var alone = Device.Cpu.Pool.Statistics.InUse;
        Convolve(image, filter);
        Assert.That(Device.Cpu.Pool.Statistics.InUse, Is.EqualTo(alone), "after the first use");
        Convolve(image, filter);
        Assert.That(Device.Cpu.Pool.Statistics.InUse, Is.GreaterThan(alone), "after the second use");
        filter.Assign(Values(3));
        Assert.That(Device.Cpu.Pool.Statistics.InUse, Is.EqualTo(alone), "after it was written");
        Convolve(image, filter);
        Convolve(image, filter);
        filter.Dispose();
        Assert.That(Device.Cpu.Pool.Statistics.InUse, Is.EqualTo(before), "after it was dropped");
    }

    [Test]
    public void Training_keeps_none()
    {
        using var image = Image();
        var filter = new Parameter(Tensor.FromArray(Values(2), FilterShape));
        var sgd = new Sgd([filter], 0.1f);
        long afterFirst = 0;
        for (var step = 1; step <= 3; step++)
        {
            using (var loss = image.Conv2d(filter, padding: window / 2).Square().Mean()) loss.Backward();
            sgd.Step();
            sgd.ClearGrad();
            var inUse = PoolMemory.InUse();
            if (step == 1) afterFirst = inUse;
            Assert.That(inUse, Is.LessThanOrEqualTo(afterFirst), $"step {step}");
        }
    }

    [Test]
    public void Threads_that_share_it_get_the_same_bits()
    {
        using Tensor image = Image(), filter = Tensor.FromArray(Values(2), FilterShape);
        var expected = Fresh(image, Values(2));
        var results = new float[64][];
        Parallel.For(0, results.Length, i => results[i] = Convolve(image, filter));
        Assert.That(results, Is.All.EqualTo(expected));
    }
}
