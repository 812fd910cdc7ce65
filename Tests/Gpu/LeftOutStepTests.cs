using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>A step that a gradient scale of 0 skips does not count, on a device whose host never waits for this information.</summary>
public class LeftOutStepTests
{
    static readonly float[] Scales = [0f, 1f, float.NaN, 1f, 0.5f, 0f, 1f, 2f];

    [Test]
    public void The_next_step_is_what_it_would_have_been([Values] bool adam, [Values] bool recorded)
    {
        Training gpu = new(TestDevices.OpenCl, adam), cpu = new(Device.Cpu, adam), never = new(Device.Cpu, adam);
        using var step = new RecordedStep(TestDevices.OpenCl, () => gpu.Step());
        foreach (var scale in Scales)
        {
            gpu.Scale.Assign([scale]);
            if (recorded) step.Run();
            else gpu.Step();
            cpu.Scale.Assign([scale]);
            cpu.Step();
            never.Scale.Assign([scale]);
            if (scale > 0f) never.Step();
            Assert.That(cpu.Always.ToArray(), Is.EqualTo(never.Always.ToArray()), "to the bit");
            Assert.That(gpu.Always.ToArray(), Is.EqualTo(never.Always.ToArray()).Within(1e-6f));
        }

        Assert.That(step.IsRecorded, Is.EqualTo(recorded), step.Refusal);
        foreach (var training in (Training[])[gpu, cpu])
            Assert.That((training.Optimizer.Steps, training.Optimizer.StepsOf(training.Always)), Is.EqualTo((8, 5)));
    }

    // Both share a count until the late parameter has no gradient in a skipped step.
    [Test]
    public void Parameters_with_gradients_in_other_steps_count_for_themselves([Values] bool adam)
    {
        Training gpu = new(TestDevices.OpenCl, adam), cpu = new(Device.Cpu, adam);
        bool[] both = [true, true, false, true, true, false, true, true];
        foreach (var (scale, late) in Scales.Zip(both))
            foreach (var training in (Training[])[gpu, cpu])
            {
                training.Scale.Assign([scale]);
                training.Step(late);
            }

        foreach (var training in (Training[])[gpu, cpu])
            Assert.That((training.Optimizer.StepsOf(training.Always), training.Optimizer.StepsOf(training.Late)), Is.EqualTo((5, 5)));
        Assert.That(gpu.Always.ToArray(), Is.EqualTo(cpu.Always.ToArray()).Within(1e-6f));
        Assert.That(gpu.Late.ToArray(), Is.EqualTo(cpu.Late.ToArray()).Within(1e-6f));
        Assert.That(cpu.Late.ToArray(), Is.EqualTo(cpu.Always.ToArray()), "they skipped the same number of steps");
    }

    [Test]
    public void A_parameter_that_moves_takes_its_count_along()
    {
        Training moved = new(TestDevices.OpenCl, adam: true), cpu = new(Device.Cpu, adam: true);
        for (var i = 0; i < Scales.Length; i++)
        {
            if (i == 4) moved.MoveTo(Device.Cpu);
            foreach (var training in (Training[])[moved, cpu])
            {
                training.Scale.Assign([Scales[i]]);
                training.Step();
            }
        }

        Assert.That(moved.Optimizer.StepsOf(moved.Always), Is.EqualTo(5));
        Assert.That(moved.Always.ToArray(), Is.EqualTo(cpu.Always.ToArray()).Within(1e-6f));
    }

    // Near 1, a difference of one and a power of beta2 would lose most of float's digits: at step 1 it is 0.001.
    [Test]
    public void Moments_are_corrected_to_the_last_digits_at_any_step()
    {
        foreach (var step in (int[])[1, 2, 10, 300, 499, 501, 10_000, 1_000_000])
        {
            var device = TestDevices.OpenCl;
            Tensor w = Tensor.Zeros([1], device), g = Tensor.Ones([1], device), m = Tensor.Ones([1], device), v = Tensor.Ones([1], device);
            device.Backend.AdamW([w], [g], [m], [v], new(1f, 0.9f, 0.999f, 0f, 0f, step));
            var expected = -Math.Sqrt(1 - Math.Pow(0.999f, step)) / (1 - Math.Pow(0.9f, step));
            Assert.That(w.Item(), Is.EqualTo(expected).Within(4e-7 * -expected), $"step {step}");
        }
    }

    sealed class Training
    {
        Tensor gradient;

        public Training(Device device, bool adam)
        {
            (Always, Late) = (Weights(device), Weights(device));
            Optimizer = adam ? new AdamW([Always, Late], 0.05f) : new Sgd([new ParameterGroup("all", [Always, Late])], 0.05f, momentum: 0.9f, dampening: 0.5f);
            Scale = Tensor.Scalar(1f, device);
            gradient = Tensor.FromArray([.. Enumerable.Range(0, 300).Select(i => MathF.Cos(i))], [300], device);
        }

        public Parameter Always { get; }

        public Parameter Late { get; }

        public Optimizer Optimizer { get; }

        public Tensor Scale { get; private set; }

        public void Step() => Step(late: false);

        public void Step(bool late)
        {
            using var scope = new TensorScope();
            var loss = (Always * gradient).Sum();
            if (late) loss += (Late * gradient).Sum();
            loss.Backward();
            Optimizer.GradientScale = Scale;
            Optimizer.Step();
        }

        public void MoveTo(Device device)
        {
            foreach (var parameter in (Parameter[])[Always, Late]) parameter.MoveTo(device);
            Scale = Scale.To(device);
            gradient = gradient.To(device);
        }

        static Parameter Weights(Device device) => new(Tensor.FromArray([.. Enumerable.Range(0, 300).Select(i => MathF.Sin(i))], [300], device));
    }
}
