using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Operations;

/// <summary>Right values at limits: of the range of float32, of intervals, at NaN, and at cancellation of digits.</summary>
public class ValueTests
{
    const float NaN = float.NaN, Infinity = float.PositiveInfinity;

    static Tensor Leaf(params float[] values)
    {
        var leaf = Tensor.FromArray(values, [values.Length]);
        leaf.RequiresGrad = true;
        return leaf;
    }

    static float[] Gradient(Tensor leaf, Func<Tensor, Tensor> function)
    {
        function(leaf).Sum().Backward();
        return leaf.Grad!.ToArray();
    }

    static readonly TestCaseData[] Functions =
    [
        new("exp(0)", (Tensor x) => x.Exp(), 0f, 1.0),
        new("softplus", (Tensor x) => x.Softplus(), -17f, 4.1399376e-8),
        new("softplus far out", (Tensor x) => x.Softplus(), -100f, 3.8e-44),
        new("gelu", (Tensor x) => x.Gelu(), -5.5f, -1.0444258e-7),
        new("gelu of -infinity", (Tensor x) => x.Gelu(), -Infinity, 0.0),
        new("gelu of infinity", (Tensor x) => x.Gelu(), Infinity, double.PositiveInfinity),
        new("silu of -infinity", (Tensor x) => x.Silu(), -Infinity, 0.0),
        new("hard swish of -infinity", (Tensor x) => x.HardSwish(), -Infinity, 0.0),
        new("hard swish of the largest number", (Tensor x) => x.HardSwish(), float.MaxValue, (double)float.MaxValue),
        new("hard sigmoid at its end", (Tensor x) => x.HardSigmoid(), 3f, 1.0),
        new("sigmoid far out", (Tensor x) => x.Sigmoid(), -100f, 3.8e-44),
        new("binary cross-entropy", (Tensor x) => Losses.BinaryCrossEntropyWithLogits(x, Tensor.Ones([1])), 14f, 8.3152838e-7),
        new("over itself", (Tensor x) => x / 41f, 41f, 1.0),
        new("0 over a subnormal", (Tensor x) => x / 1e-39f, 0f, 0.0),
        new("over a tensor of itself", (Tensor x) => x / Tensor.Full([1], 41f), 41f, 1.0),
    ];

    [TestCaseSource(nameof(Functions))]
    public void Function(string name, Func<Tensor, Tensor> function, float x, double right) =>
        Assert.That(function(Tensor.FromArray([x], [1])).Item(), Is.EqualTo((float)right).Within(1e-5 * (double.IsFinite(right) ? Math.Abs(right) : 0) + 2e-45), name);

    static readonly TestCaseData[] Gradients =
    [
        new("relu at NaN", (Tensor x) => x.Relu(), NaN, 1f),
        new("relu6 at NaN", (Tensor x) => x.Relu6(), NaN, 1f),
        new("relu6 at 0", (Tensor x) => x.Relu6(), 0f, 0f),
        new("relu6 at 6", (Tensor x) => x.Relu6(), 6f, 0f),
        new("hard sigmoid at -3", (Tensor x) => x.HardSigmoid(), -3f, 0f),
        new("hard sigmoid at 3", (Tensor x) => x.HardSigmoid(), 3f, 0f),
        new("hard sigmoid at NaN", (Tensor x) => x.HardSigmoid(), NaN, 0f),
        new("hard swish at -3", (Tensor x) => x.HardSwish(), -3f, 0f),
        new("hard swish at 3", (Tensor x) => x.HardSwish(), 3f, 1f),
        new("hard swish at NaN", (Tensor x) => x.HardSwish(), NaN, NaN),
        new("maximum at NaN", (Tensor x) => x.Maximum(1f), NaN, 1f),
        new("maximum with NaN", (Tensor x) => x.Maximum(NaN), 1f, 1f),
        new("minimum at NaN", (Tensor x) => x.Minimum(Tensor.Ones([1])), NaN, 1f),
        new("minimum with NaN", (Tensor x) => Tensor.Full([1], NaN).Minimum(x), 1f, 1f),
        new("abs at NaN", (Tensor x) => x.Abs(), NaN, NaN),
        new("largest is NaN", (Tensor x) => x.Max(), NaN, 1f),
        new("over a number", (Tensor x) => x / 3f, 1f, 1f / 3f),
        new("over a subnormal", (Tensor x) => x / 1e-39f * 0f, 1f, 0f),
        new("quotient whose divisor's square overflows", (Tensor x) => 1e25f / x, 1e20f, -1e-15f),
        new("quotient whose divisor's square underflows", (Tensor x) => 1e-30f / x, 1e-25f, -1e20f),
        new("power of a negative base, by its exponent", (Tensor x) => Tensor.Full([1], -2f).Pow(x), 2f, NaN),
        new("power of 0, by its exponent", (Tensor x) => Tensor.Zeros([1]).Pow(x), 2f, 0f),
        new("power of 0 to the 0, by its exponent", (Tensor x) => Tensor.Zeros([1]).Pow(x), 0f, 0f),
        new("power of e, by its exponent", (Tensor x) => Tensor.Full([1], MathF.E).Pow(x), 2f, MathF.E * MathF.E),
        new("binary cross-entropy near its target", (Tensor x) => Losses.BinaryCrossEntropyWithLogits(x, Tensor.Ones([1])), 14f, -8.3152804e-7f),
        new("silu far out", (Tensor x) => x.Silu(), -Infinity, 0f),
        new("gelu far out", (Tensor x) => x.Gelu(), -Infinity, 0f),
    ];

    [TestCaseSource(nameof(Gradients))]
    public void Gradient(string name, Func<Tensor, Tensor> function, float x, float right) =>
        Assert.That(Gradient(Leaf(x), function)[0], float.IsNaN(right) ? Is.NaN : Is.EqualTo(right).Within(1e-4).Percent.Or.EqualTo(right), name);

    // In a row, the elements that are NaN share the gradient.
    [Test]
    public void NaNs_share_the_gradient_of_their_maximum() => Assert.That(Gradient(Leaf(1f, NaN, NaN, 3f), x => x.Max()), Is.EqualTo((float[])[0f, 0.5f, 0.5f, 0f]));

    [Test]
    public void Relu_behind_a_batch_norm_passes_gradients_at_NaN()
    {
        Tensor x = Tensor.FromArray([1f, -1f], [2, 1]), residual = Tensor.FromArray([NaN, 0f], [2, 1]);
        residual.RequiresGrad = true;
        (x.BatchNormInference(Tensor.Zeros([1]), Tensor.Ones([1]), null, null) + residual).Relu().Sum().Backward();
        Assert.That(residual.Grad!.ToArray(), Is.EqualTo((float[])[1f, 0f]));
    }

    [Test]
    public void What_Where_does_not_choose_does_no_harm_to_gradients() => Assert.Multiple(() =>
    {
        Assert.That(Gradient(Leaf(0f, 4f), x => x.Greater(0f).Where(x.Sqrt(), Tensor.Zeros([2]))), Is.EqualTo((float[])[0f, 0.25f]));
        Assert.That(Gradient(Leaf(-1f, 4f), x => x.Greater(0f).Where(x.Log(), x)), Is.EqualTo((float[])[1f, 0.25f]));
        Assert.That(Gradient(Leaf(0f, 2f), x => x.Greater(0f).Where(1f / x, x)), Is.EqualTo((float[])[1f, -0.25f]));
        Assert.That(Gradient(Leaf(0f, 2f), x => x.Greater(0f).Where(x * Tensor.FromArray([NaN, 3f], [2]), x)), Is.EqualTo((float[])[1f, 3f]));
    });

    [Test]
    public void Comparisons_have_no_gradient() => Assert.Multiple(() =>
    {
        var x = Leaf(1f, 2f);
        Assert.That(x.Greater(1f).RequiresGrad, Is.False);
        Assert.That(x.Greater(x * 2f).RequiresGrad, Is.False);
        Assert.That(x.Equal(x).RequiresGrad, Is.False);
    });

    [Test]
    public void A_reduction_over_none_of_the_axes_given_is_one_over_all() => Assert.Multiple(() =>
    {
        var x = Tensor.FromArray([1f, 2f, 3f, 6f], [2, 2]);
        Assert.That(x.Sum([]).Item(), Is.EqualTo(12f));
        Assert.That(x.Mean([]).Item(), Is.EqualTo(3f));
        Assert.That(x.Variance([]).Item(), Is.EqualTo(3.5f));
        Assert.That(x.Max([], keepDims: true).Shape.ToArray(), Is.EqualTo((int[])[1, 1]));
    });

    [Test]
    public void Every_integer_over_itself_is_1() => Assert.That(Enumerable.Range(1, 300).Where(n => (Tensor.Full([1], n) / n).Item() != 1f || Tensor.Full([n], n).Mean().Item() != n), Is.Empty);

    [Test]
    public void Uniform_numbers_leave_their_upper_bound_out()
    {
        var numbers = Tensor.Uniform([1 << 24], 1f, 2f, new Generator(3));
        Assert.That(numbers.Max().Item(), Is.LessThan(2f));
        Assert.That(numbers.Min().Item(), Is.GreaterThanOrEqualTo(1f));
        Assert.That(Tensor.Uniform([4], 3f, 3f).ToArray(), Is.All.EqualTo(3f));
        Assert.That(Tensor.Uniform([1 << 20], -1f, 0f, new Generator(4)).Max().Item(), Is.LessThan(0f));
    }

    [TestCase(2f, 1f)]
    [TestCase(-3e38f, 3e38f)]
    [TestCase(float.NaN, 1f)]
    public void Uniform_refuses_what_is_no_interval(float low, float high) =>
        Assert.That(() => Tensor.Uniform([1], low, high), Throws.ArgumentException.With.Message.Contains("Uniform: the range is ["));

    [Test]
    public void A_gradient_beyond_the_square_root_of_floats_is_clipped_as_any_other()
    {
        var p = new Parameter(Tensor.Ones([2]));
        (p * Tensor.FromArray([3e25f, 4e25f], [2])).Sum().Backward();
        Assert.That(GradientClipping.DeviceNorm([p]).Item(), Is.EqualTo(5e25f).Within(1e-4).Percent);
        Assert.That(GradientClipping.ByNorm([p], 1f), Is.EqualTo(5e25f).Within(1e-4).Percent);
        Assert.That(p.Grad!.ToArray(), Is.EqualTo((float[])[0.6f, 0.8f]).Within(1e-4).Percent);
    }

    [TestCase(-1f)]
    [TestCase(float.NaN)]
    public void Clipping_refuses_a_norm_that_is_none(float norm)
    {
        var p = new Parameter(Tensor.Ones([1]));
        p.Sum().Backward();
        Assert.That(() => GradientClipping.ByNorm([p], norm), Throws.ArgumentException.With.Message.Contains($"the largest norm is {norm}, expected 0 or more"));
        Assert.That(() => GradientClipping.FactorOf(Tensor.Scalar(1f), norm), Throws.ArgumentException);
        Assert.That(p.Grad!.Item(), Is.EqualTo(1f));
    }

    // The layouts of the layers: rows of several chunks, a convolution that also gathers statistics, and rows for layer norm.
    [Test]
    public void Normalisation_of_large_values_has_a_finite_variance()
    {
        var values = Enumerable.Range(0, 4 * 8 * 8 * 4).Select(i => (i % 7 - 3) * 1e18f + 1e19f).ToArray();
        double mean = values.Average(value => (double)value), deviation = Math.Sqrt(values.Average(value => Math.Pow(value - mean, 2)));
        Tensor x = Tensor.FromArray(values, [4, 8, 8, 4]), identity = Tensor.FromArray([.. Enumerable.Range(0, 16).Select(i => i % 5 == 0 ? 1f : 0f)], [1, 1, 4, 4]);
        foreach (var y in (Tensor[])[x.Reshape(-1, 1).BatchNorm(null, null), x.Reshape(1, -1).LayerNorm(null, null)])
            Assert.That(y.ToArray()[5], Is.EqualTo((values[5] - mean) / deviation).Within(1e-4));

        Tensor runningMean = Tensor.Zeros([4]), runningVariance = Tensor.Zeros([4]);
        _ = x.Conv2d(identity).BatchNorm(null, null, new RunningStatistics(runningMean, runningVariance, Momentum: 1f)).ToArray();
        Assert.That(runningVariance.ToArray()[0], Is.EqualTo(deviation * deviation).Within(2).Percent);
    }

    [Test]
    public void A_step_left_out_does_not_count()
    {
        var p = new Parameter(Tensor.Ones([1]));
        var optimizer = new AdamW([p], learningRate: 0.1f, weightDecay: 0f);
        foreach (var scale in (float[])[0f, NaN, 1f])
        {
            p.Grad = Tensor.Full([1], 2f);
            optimizer.GradientScale = Tensor.Scalar(scale);
            optimizer.Step();
            Assert.That(p.Grad, Is.Null);
        }

        Assert.That(p.Item(), Is.EqualTo(0.9f).Within(1e-6f));
        Assert.That((optimizer.Steps, optimizer.StepsOf(p)), Is.EqualTo((3, 1)));
    }

    // 16 channels in and out: Winograd's algorithm if it is allowed.
    [Test]
    [NonParallelizable]
    public void Without_Winograd_an_outlier_stays_where_it_is_seen()
    {
        Assert.That(Device.CpuWinograd);
        try
        {
            foreach (var outlier in (float[])[1e8f, Infinity])
            {
                Device.CpuWinograd = true;
                Assert.That(Unseen(outlier).Any(value => !(Math.Abs(value - 144f) < 1f)), "Winograd's error, which the documentation describes");
                using (new NonFiniteGuard())
                    if (float.IsFinite(outlier)) Assert.That(Unseen(outlier), Is.All.EqualTo(144f), "under the guard");
                Device.CpuWinograd = false;
                Assert.That(Unseen(outlier), Is.All.EqualTo(144f));
            }
        }
        finally
        {
            Device.CpuWinograd = true;
        }

        // Outputs inside the border that do not see pixel (5, 5).
        static float[] Unseen(float outlier)
        {
            var x = Tensor.Ones([1, 16, 16, 16]).ToArray();
            x[(5 * 16 + 5) * 16] = outlier;
            var y = Tensor.FromArray(x, [1, 16, 16, 16]).Conv2d(Tensor.Ones([3, 3, 16, 16]), padding: 1).ToArray();
            return [.. y.Where((_, i) => i / 16 % 16 is > 0 and < 15 && i / 256 is > 0 and < 15 && (Math.Abs(i / 16 % 16 - 5) > 1 || Math.Abs(i / 256 - 5) > 1))];
        }
    }

    // Winograd's transforms would overflow at an outlier of 1e38 in each layer; the sums themselves overflow in the third.
    [Test]
    public void The_guard_names_the_layer_whose_own_sum_is_not_finite()
    {
        var network = new Layers.Sequential(Layer(1f), Layer(1f), Layer(1e4f));
        var values = new float[16 * 16 * 16];
        values[(5 * 16 + 5) * 16] = 1e38f;
        var x = Tensor.FromArray(values, [1, 16, 16, 16]);
        using var noGrad = new NoGrad();
        using var guard = new NonFiniteGuard();
        Assert.That(() => network[x], Throws.TypeOf<NonFiniteException>().With.Property("Where").EqualTo("2: Conv2d"));

        // The filter has only the middle of the window, and maps each channel to the same channel.
        static Layers.Conv2d Layer(float factor)
        {
            var layer = new Layers.Conv2d(16, 16, 3, padding: 1, bias: false);
            layer.Weight.Assign(Enumerable.Range(0, 9 * 256).Select(i => i / 256 == 4 && i / 16 % 16 == i % 16 ? factor : 0f).ToArray());
            return layer;
        }
    }
}
