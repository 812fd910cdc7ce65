namespace QuadEngine.Tests.Optimizers;

/// <summary>Compares optimizers with the formulas of their documentation, computed in double.</summary>
public class OptimizerTests
{
    const int Steps = 30, Length = 37;

    static double[] Start => [.. Enumerable.Range(0, Length).Select(i => (double)(float)Math.Sin(i + 1))];

    // The gradient of a step depends on the weights, as in training: g = w - target + a wave.
    static double Gradient(double w, int i, int step) => 0.7 * w - 0.1 * i + Math.Cos(step + i);

    static float[] Train(Optimizer optimizer, Parameter w, Func<int, bool>? frozen = null)
    {
        for (var step = 0; step < Steps; step++)
        {
            var now = w.ToArray();
            if (frozen?.Invoke(step) != true) w.Grad = Tensor.FromArray([.. now.Select((value, i) => (float)Gradient(value, i, step))], w.Shape);
            optimizer.Step();
            Assert.That(w.Grad, Is.Null, "a step removes the gradients");
        }

        return w.ToArray();
    }

    static Parameter Weights() => new(Tensor.FromArray([.. Start.Select(value => (float)value)], [Length]));

    static void Same(float[] got, double[] expected) => Assert.That(got, Is.EqualTo(expected.Select(value => (float)value)).Using<float>((a, b) => Math.Abs(a - b) <= 2e-5 * (1 + Math.Abs(b))));

    [Test]
    public void Sgd_follows_its_documentation([Values(0f, 0.9f)] float momentum, [Values] bool nesterov, [Values(0f, 0.5f)] float dampening, [Values(0f, 0.01f)] float decay)
    {
        Assume.That(!nesterov || momentum > 0f && dampening == 0f);
        var w = Weights();
        var got = Train(new Sgd([new ParameterGroup("all", [w])], 0.05f, momentum, decay, nesterov, dampening), w);

        double[] x = Start, v = new double[Length];
        for (var step = 0; step < Steps; step++)
            for (var i = 0; i < Length; i++)
            {
                var g = Gradient(x[i], i, step) + decay * x[i];
                v[i] = step == 0 ? g : momentum * v[i] + (1 - dampening) * g;
                x[i] -= 0.05f * (momentum == 0f ? g : nesterov ? g + momentum * v[i] : v[i]);
            }

        Same(got, x);
    }

    [Test]
    public void AdamW_follows_its_paper([Values(0f, 0.1f)] float decay)
    {
        var w = Weights();
        var got = Train(new AdamW([w], 0.02f, decay), w);

        double[] x = Start, m = new double[Length], v = new double[Length];
        for (var step = 0; step < Steps; step++)
            for (var i = 0; i < Length; i++)
            {
                var g = Gradient(x[i], i, step);
                x[i] -= 0.02f * decay * x[i];
                m[i] = 0.9f * m[i] + (1 - 0.9f) * g;
                v[i] = 0.999f * v[i] + (1 - 0.999f) * g * g;
                x[i] -= 0.02f * (m[i] / (1 - Math.Pow(0.9f, step + 1))) / (Math.Sqrt(v[i] / (1 - Math.Pow(0.999f, step + 1))) + 1e-8);
            }

        Same(got, x);
    }

    [Test]
    public void Groups_have_their_own_rate_and_decay()
    {
        Parameter plain = new(Tensor.Ones([3])), own = new(Tensor.Ones([3]));
        var sgd = new Sgd([new ParameterGroup("plain", [plain]), new ParameterGroup("own", [own]) { LearningRateMultiplier = 0.1f, WeightDecay = 0f }], 0.5f, weightDecay: 0.2f);
        plain.Grad = Tensor.Ones([3]);
        own.Grad = Tensor.Ones([3]);
        sgd.Step();
        Assert.That(plain.ToArray(), Is.All.EqualTo(1f - 0.5f * 1.2f).Within(1e-6f));
        Assert.That(own.ToArray(), Is.All.EqualTo(1f - 0.05f).Within(1e-6f));
    }

    [Test]
    public void A_parameter_without_gradient_stays_and_starts_afresh_later()
    {
        var w = Weights();
        var got = Train(new Sgd([w], 0.05f, momentum: 0.9f), w, frozen: step => step < 10);
        double[] x = Start, v = new double[Length];
        for (var step = 10; step < Steps; step++)
            for (var i = 0; i < Length; i++)
            {
                var g = Gradient(x[i], i, step);
                v[i] = step == 10 ? g : 0.9f * v[i] + g;
                x[i] -= 0.05f * v[i];
            }

        Same(got, x);
    }

    // t counts the steps of the parameter, not of the optimizer: after a parameter was frozen, its moments are corrected as at a first step.
    [Test]
    public void AdamW_counts_the_steps_of_each_parameter()
    {
        Parameter late = Weights(), alone = Weights();
        AdamW one = new([late], 0.02f), two = new([alone], 0.02f);
        for (var step = 0; step < 8; step++)
        {
            if (step >= 5)
                foreach (var w in (Parameter[])[late, alone]) w.Grad = Tensor.FromArray([.. w.ToArray().Select((value, i) => (float)Gradient(value, i, step))], w.Shape);
            one.Step();
            if (step >= 5) two.Step();
        }

        Assert.That(late.ToArray(), Is.EqualTo(alone.ToArray()));
        Assert.That((one.Steps, one.StepsOf(late)), Is.EqualTo((8, 3)));
    }

    [Test]
    public void Restored_state_goes_on_with_the_same_bits_and_is_a_copy()
    {
        Parameter whole = Weights(), first = Weights();
        Sgd one = new([whole], 0.05f, 0.9f), two = new([first], 0.05f, 0.9f);
        Step(one, whole);
        Step(two, first);

        var resumed = new Parameter(Tensor.FromArray(first.ToArray(), first.Shape));
        var three = new Sgd([resumed], 0.05f, 0.9f) { Steps = two.Steps };
        three.Restore(resumed, two.StateOf(first), two.StepsOf(first));
        var saved = two.StateOf(first)[0].ToArray();
        Step(one, whole);
        Step(three, resumed);
        Assert.That(resumed.ToArray(), Is.EqualTo(whole.ToArray()));
        Assert.That(two.StateOf(first)[0].ToArray(), Is.EqualTo(saved), "the state that was restored from does not change");
        Assert.That(() => three.Restore(resumed, [], 1), Throws.ArgumentException.With.Message.Contains("momentum").And.Message.Contains("[37]"));

        static void Step(Optimizer optimizer, Parameter w)
        {
            w.Grad = Tensor.FromArray([.. w.ToArray().Select((value, i) => (float)Gradient(value, i, 0))], w.Shape);
            optimizer.Step();
        }
    }

    [Test]
    public void What_does_not_fit_is_not_restored()
    {
        var w = Weights();
        var sgd = new Sgd([w], 0.05f, momentum: 0.9f);
        Assert.That(() => sgd.Restore(w, [], 1), Throws.ArgumentException.With.Message.Contains("1 tensors of its shape (momentum), got none"));
        Assert.That(() => sgd.Restore(w, [Tensor.Zeros([3])], 1), Throws.ArgumentException.With.Message.Contains("[37]").And.Message.Contains("got [3]"));
        Assert.That(() => sgd.Restore(w, [Tensor.Zeros([Length])], -1), Throws.ArgumentException.With.Message.Contains("steps is -1, expected 0 or more"));
        Assert.That(() => sgd.Steps = -1, Throws.ArgumentException.With.Message.Contains("Steps is -1, expected 0 or more"));
        Assert.That((sgd.StateOf(w).Count, sgd.StepsOf(w), sgd.Steps), Is.EqualTo((0, 0, 0)));
    }

    [Test]
    public void State_follows_a_parameter_to_another_device([Values] bool adam)
    {
        Parameter moved = Weights(), stays = Weights();
        Optimizer Make(Parameter w) => adam ? new AdamW([w], 0.05f) : new Sgd([w], 0.05f, 0.9f);
        Optimizer one = Make(moved), two = Make(stays);
        for (var step = 0; step < 3; step++)
        {
            if (step == 1) moved.MoveTo(TestDevices.Simulator);
            foreach (var w in (Parameter[])[moved, stays]) w.Grad = Tensor.FromArray([.. w.ToArray().Select((value, i) => (float)Gradient(value, i, step))], w.Shape, w.Device);
            one.Step();
            two.Step();
        }

        Same(moved.ToArray(), [.. stays.ToArray().Select(value => (double)value)]);
    }

    [Test]
    public void Impossible_optimizers_are_refused()
    {
        var w = Weights();
        Assert.That(() => new Sgd([w], -1f), Throws.ArgumentException.With.Message.EqualTo("Sgd: LearningRate is -1, expected 0 or more, and finite."));
        Assert.That(() => new Sgd([w], 0.1f) { LearningRate = float.NaN }, Throws.ArgumentException);
        Assert.That(() => new Sgd([w], 0.1f, momentum: -0.5f), Throws.ArgumentException.With.Message.Contains("momentum is -0.5"));
        Assert.That(() => new Sgd([new ParameterGroup("a", [w]) { WeightDecay = float.NaN }], 0.1f), Throws.ArgumentException.With.Message.Contains("group \"a\""));
        Assert.That(() => new AdamW([new ParameterGroup("a", [w])], beta2: 1f), Throws.ArgumentException.With.Message.EqualTo("AdamW: beta2 is 1, expected 0 or more and under 1."));
        Assert.That(() => new Sgd([w], 0.1f, nesterov: true), Throws.ArgumentException.With.Message.Contains("Nesterov"));
        Assert.That(() => new Sgd([new ParameterGroup("a", [w]), new ParameterGroup("b", [w])], 0.1f), Throws.ArgumentException.With.Message.Contains("\"b\""));
    }

    [Test]
    public void Clipping_scales_all_gradients_together_and_only_if_too_large()
    {
        Parameter a = new(Tensor.Zeros([2])), b = new(Tensor.Zeros([1]));
        (a.Sum() * 3f + b.Sum() * 4f).Backward();
        var norm = Math.Sqrt(2 * 9 + 16);
        Assert.That(GradientClipping.Norm([a, b]), Is.EqualTo(norm).Within(1e-5));
        Assert.That(GradientClipping.ByNorm([a, b], 100f), Is.EqualTo(norm).Within(1e-5));
        Assert.That(a.Grad!.ToArray(), Is.All.EqualTo(3f));
        Assert.That(GradientClipping.ByNorm([a, b], 1f), Is.EqualTo(norm).Within(1e-5));
        Assert.That(a.Grad!.ToArray(), Is.All.EqualTo(3 / norm).Within(1e-6));
        Assert.That(b.Grad!.ToArray(), Is.All.EqualTo(4 / norm).Within(1e-6));
    }

    // Both gradients of a sum are the same tensor, which must not be scaled twice.
    [Test]
    public void Clipping_scales_gradients_that_came_from_one_tensor_once()
    {
        Parameter a = new(Tensor.Zeros([4])), b = new(Tensor.Zeros([4]));
        (a + b).Backward(Tensor.Full([4], 10f));
        GradientClipping.ByNorm([a, b], 1f);
        Assert.That(GradientClipping.Norm([a, b]), Is.EqualTo(1f).Within(1e-5f));
    }
}
