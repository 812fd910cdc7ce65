using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Gpu;

/// <summary>A step that is recorded and replayed gives the same bits as a step that always runs the host code.</summary>
public class RecordedStepTests
{
    const int Steps = 6, Batch = 8, Side = 8, Classes = 4;

    [TestCase(0, false)]
    [TestCase(3, false)]
    [TestCase(3, true)]
    public void Replays_give_the_bits_of_plain_steps(int rank, bool adam) => AssertSameBits(TestDevices.OpenCl, rank, adam, Steps);

    /// <summary>Checks that two trainings of a small network have the same bits: one step by step, one recorded and replayed.</summary>
    /// <param name="device">The device.</param>
    /// <param name="rank">The rank of the neurons; 0 for linear ones.</param>
    /// <param name="adam">Whether the optimizer is AdamW instead of SGD.</param>
    /// <param name="steps">The number of steps.</param>
    /// <param name="before">Called before each recorded or replayed step.</param>
    internal static void AssertSameBits(GpuDevice device, int rank, bool adam, int steps, Action<int>? before = null)
    {
        SmallTraining plain = new(device, rank, adam), recorded = new(device, rank, adam);
        using var step = new RecordedStep(device, recorded.Step);
        for (var i = 0; i < steps; i++)
        {
            plain.Prepare(i);
            plain.Step();
            recorded.Prepare(i);
            before?.Invoke(i);
            step.Run();
            Assert.That(recorded.Loss.Item(), Is.EqualTo(plain.Loss.Item()), $"loss of step {i}");
            Assert.That(step.IsRecorded, Is.EqualTo(i > 0), step.Refusal);
        }

        Assert.That(step.Refusal, Is.Null);
        Assert.That(recorded.Optimizer.Steps, Is.EqualTo(steps));
        Assert.That(recorded.Random.Position, Is.EqualTo(plain.Random.Position));
        foreach (var (name, values) in plain.Network.StateDictionary())
            Assert.That(recorded.Network.StateDictionary()[name].Values, Is.EqualTo(values.Values), name);
    }

    [Test]
    public void Memory_of_a_recorded_step_is_nobody_elses()
    {
        var device = TestDevices.OpenCl;
        var training = new SmallTraining(device, rank: 3, adam: false);
        using var step = new RecordedStep(device, training.Step);
        for (var i = 0; i < 2; i++)
        {
            training.Prepare(i);
            step.Run();
        }

        // Tensors of all sizes are made between replays. None may be in memory that a replay writes.
        var others = Enumerable.Range(1, 12).SelectMany(power => Enumerable.Range(0, 8).Select(i => Tensor.Full([1 << power], power + 0.25f, device))).ToArray();
        long settled = 0;
        for (var i = 2; i < 40; i++)
        {
            training.Prepare(i);
            step.Run();
            if (i == 2) settled = device.Pool.Statistics.Reserved;
        }

        Assert.That(others.All(other => other.ToArray().All(value => value == int.Log2(other.Length) + 0.25f)));
        Assert.That(device.Pool.Statistics.Reserved, Is.EqualTo(settled), "memory is level");
        foreach (var other in others) other.Dispose();
    }

    [Test]
    public void A_disposed_recording_gives_its_memory_back()
    {
        var device = TestDevices.OpenCl;
        var training = new SmallTraining(device, rank: 0, adam: false);
        using var step = new RecordedStep(device, training.Step);
        training.Prepare(0);
        step.Run();
        training.Loss.Dispose();
        var before = device.Pool.Statistics.InUse;
        training.Prepare(1);
        step.Run();
        Assert.That(device.Pool.Statistics.InUse, Is.GreaterThan(before), "memory that a replay writes counts as in use");
        training.Loss.Dispose();
        step.Dispose();
        Assert.That(device.Pool.Statistics.InUse, Is.EqualTo(before));
    }

    [Test]
    public void A_step_that_cannot_be_replayed_says_why_and_runs()
    {
        var device = TestDevices.OpenCl;
        using var w = new Parameter(Tensor.Ones([4], device));
        var sgd = new Sgd([w], learningRate: 0.1f);

        Refused("reads a value", () => w.Sum().Item());
        Refused("uploads values", () => Tensor.FromArray([1f], [1], device));
        Refused("adds to gradients of before", () => w.Square().Sum().Backward());
        Refused("leaves gradients behind", () =>
        {
            sgd.ClearGrad();
            w.Square().Sum().Backward();
        });

        void Refused(string why, Action action)
        {
            var runs = 0;
            using var step = new RecordedStep(device, () =>
            {
                runs++;
                action();
            });
            for (var i = 0; i < 4; i++) step.Run();
            Assert.That(step.Refusal, Does.Contain(why));
            Assert.That(runs, Is.EqualTo(4));
        }
    }

    [TestCase(Basis.Retracted, Retraction.NewtonSchulz, true)]
    [TestCase(Basis.Penalized, Retraction.NewtonSchulz, true)]
    [TestCase(Basis.Retracted, Retraction.Qr, false)]
    public void Constraints_are_kept_by_every_replay(Basis basis, Retraction retraction, bool isRecorded)
    {
        var (device, x) = (TestDevices.OpenCl, Tensor.Normal([4, 6], generator: new Generator(1)));
        QuadraticLinear plain = Layer().To(device), recorded = Layer().To(device);
        Action train = Training(plain);
        using var step = new RecordedStep(device, Training(recorded));
        for (var i = 0; i < 4; i++)
        {
            train();
            step.Run();
            Assert.That(recorded.Weight.ToArray(), Is.EqualTo(plain.Weight.ToArray()), $"step {i}, to the bit");
        }

        Assert.That(step.IsRecorded, Is.EqualTo(isRecorded), step.Refusal);

        QuadraticLinear Layer()
        {
            Generator.Default = new Generator(2);
            return new(6, 4, rank: 3, options: new() { Basis = basis, Retraction = retraction, Penalty = 1f });
        }

        Action Training(QuadraticLinear layer)
        {
            var sgd = new Sgd(layer.ParameterGroups(), learningRate: 0.1f);
            var input = x.To(device).Keep();
            return () =>
            {
                layer[input].Square().Sum().Backward();
                sgd.Step();
            };
        }
    }

    [Test]
    public void Steps_of_any_task_are_replayed_with_the_bits_of_the_host()
    {
        var (plain, replayed) = (Train(throughHost: true), Train(throughHost: false));
        Assert.That(replayed, Is.EqualTo(plain));

        static string Train(bool throughHost)
        {
            Generator.Default = new Generator(1);
            var x = Tensor.Normal([48, 3], generator: new Generator(2));
            var (train, test) = QuadEngine.Data.ExampleSet.Of(x, x.Greater(0f)).Split(0.25f);
            var task = new MultiLabelClassification(new Sequential(new QuadraticLinear(3, 8, rank: 3), new Linear(8, 3)).To(TestDevices.OpenCl), train, test);
            var trainer = new Trainer(task, new TrainerOptions { Epochs = 2, BatchSize = 8, ClipNorm = 1f });
            var steps = new List<string>();
            trainer.Stepped += step => steps.Add($"{step.Loss:R} {step.Metrics} {step.GradientNorm:R}");
            if (throughHost) trainer.GradientsReady += () => { };
            trainer.Run();
            return string.Join('\n', steps) + string.Join(' ', task.Network.Parameters().SelectMany(parameter => parameter.ToArray())) + trainer.State.History[^1].Test;
        }
    }

    [Test]
    public void A_moved_network_is_recorded_anew()
    {
        var device = TestDevices.OpenCl;
        SmallTraining plain = new(device, 0, false), recorded = new(device, 0, false);
        using var step = new RecordedStep(device, recorded.Step);
        for (var i = 0; i < Steps; i++)
        {
            if (i == 3)
                foreach (var training in (SmallTraining[])[plain, recorded])
                {
                    training.Network.MoveTo(Device.Cpu);
                    training.Network.MoveTo(device);
                }

            plain.Prepare(i);
            plain.Step();
            recorded.Prepare(i);
            step.Run();
            Assert.That(recorded.Loss.Item(), Is.EqualTo(plain.Loss.Item()), $"loss of step {i}");
        }
    }

    [TestCase("sgd")]
    [TestCase("adamw")]
    public void A_trainer_that_replays_leaves_the_bits_of_one_that_does_not(string optimizer)
    {
        var device = TestDevices.OpenCl;
        using var tiny = new QuadEngine.Tests.Training.TinyTraining();
        Module Network() => QuadEngine.Tests.Training.TinyTraining.Network().To(device);
        var options = QuadEngine.Tests.Training.TinyTraining.Options with { Optimizer = optimizer, Epochs = 2, LearningRate = 0.01f };
        var replayed = tiny.Start(options: options, network: Network);
        var (steps, plainSteps) = (new List<StepMetrics>(), new List<StepMetrics>());
        replayed.Stepped += steps.Add;
        replayed.Run();

        var plain = tiny.Start(options: options, network: Network);
        plain.GradientsReady += () => { };
        plain.Stepped += plainSteps.Add;
        plain.Run();

        Assert.That(steps, Is.EqualTo(plainSteps));
        foreach (var (name, values) in plain.Network.StateDictionary())
            Assert.That(replayed.Network.StateDictionary()[name].Values, Is.EqualTo(values.Values), name);
    }

    [Test]
    public void A_step_that_is_not_finite_and_those_after_it_update_nothing_and_it_is_found()
    {
        var device = TestDevices.OpenCl;
        using var tiny = new QuadEngine.Tests.Training.TinyTraining();
        Parameter? root = null;

        // The square root of a weight that training moves below 0.
        Module Network()
        {
            var network = QuadEngine.Tests.Training.TinyTraining.Network();
            root = network.Parameters().Last();
            return new Sequential(network, new Function("Root", x => x + root.Sqrt())).To(device);
        }

        var trainer = tiny.Start("run", QuadEngine.Tests.Training.TinyTraining.Options with { CheckpointSteps = 1 }, () =>
        {
            var network = Network();
            root!.Assign([0.04f, 0.05f, 0.06f]);
            return network;
        });
        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Run());
        Assert.That(error.Step, Is.EqualTo(trainer.State.Step + 1).And.GreaterThan(2));
        Assert.That(error.Where, Does.Contain("sqrt").IgnoreCase);
        Assert.That(trainer.Network.Parameters().SelectMany(parameter => parameter.ToArray()), Has.All.Matches<float>(float.IsFinite));
    }

    [Test]
    public void On_the_cpu_every_run_goes_through_the_host_code()
    {
        var runs = 0;
        using var step = new RecordedStep(Device.Cpu, () => runs++);
        for (var i = 0; i < 3; i++) step.Run();
        Assert.That((runs, step.IsRecorded, step.Refusal), Is.EqualTo((3, false, (string?)null)));
    }

    /// <summary>A small network with dropout, a schedule, and inputs that change.</summary>
    internal sealed class SmallTraining
    {
        readonly Tensor images;
        readonly IntTensor labels;

        public SmallTraining(Device device, int rank, bool adam)
        {
            Generator.Default = new Generator(5);
            Network = ResNet.Cifar(depth: 8, classes: Classes, neuron: rank == 0 ? null : Layers.Neurons.Quadratic(rank), width: 8).To(device);
            images = Tensor.Empty([Batch, Side, Side, 3], device);
            labels = IntTensor.Empty([Batch], device);
            Optimizer = adam ? new AdamW(Network.ParameterGroups(), 0.01f) : new Sgd(Network.ParameterGroups(), 0.05f, momentum: 0.9f, weightDecay: 1e-4f);
        }

        public ResNet Network { get; }

        public Optimizer Optimizer { get; }

        public Generator Random { get; } = new(11);

        public Tensor Loss { get; private set; } = null!;

        public void Prepare(int step)
        {
            using var batch = Tensor.Normal([Batch, Side, Side, 3], generator: new Generator((ulong)step + 100));
            using var classes = IntTensor.FromArray([.. Enumerable.Range(0, Batch).Select(i => (i * (step + 1)) % Classes)]);
            images.Assign(batch);
            labels.Assign(classes);
            Optimizer.LearningRate = 0.05f / (step + 1);
        }

        public void Step()
        {
            using var scope = new TensorScope();
            using var dropped = images.Dropout(0.2f, Random);
            using var logits = Network.Forward(dropped);
            Loss = QuadEngine.Losses.CrossEntropy(logits, labels).Keep();
            Loss.Backward();
            Optimizer.Step();
        }
    }
}
