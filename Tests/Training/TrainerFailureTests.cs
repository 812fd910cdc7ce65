using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Training;

/// <summary>The state of a trainer after values are not finite, or after a listener throws.</summary>
public sealed class TrainerFailureTests : TinyTrainingTests
{
    [Test]
    public void Value_that_is_not_finite_is_traced_to_its_step_and_layer_and_the_last_checkpoint_stays()
    {
        var poison = new Poison { From = 9 };
        var trainer = Tiny.Start("run", TinyTraining.Options with { CheckpointSteps = 4 }, () => Poisoned(poison));
        trainer.Stepped += _ => poison.Step++;

        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Run())!;

        Assert.That(error.Step, Is.EqualTo(9));
        Assert.That(error.Where, Is.EqualTo("1.2: log"));
        Assert.That(error.Message, Does.Contain("step 9 (epoch 2)").And.Contain("1.2: log: the output is not finite").And.Contain(Tiny.PathOf("run/last.safetensors")));
        var good = Tiny.Start("run", network: () => Poisoned(new Poison()));
        Assert.That(good.State.Step, Is.EqualTo(8));
        Assert.That(good.Network.StateDictionary().SelectMany(entry => entry.Value.Values), Has.All.Matches<float>(float.IsFinite));
    }

    [Test]
    public void Gradient_that_is_not_finite_is_traced_before_it_reaches_the_weights()
    {
        // sqrt has a finite value at 0 and an infinite derivative.
        Module Network() => new Sequential(new Flatten(), new Linear(64, 3), new Function("Root", x => (x - x).Sqrt() + x));
        var trainer = Tiny.Start(network: Network);
        var before = trainer.Network.StateDictionary()["1.weight"].Values;

        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Run())!;

        Assert.That(error.Step, Is.EqualTo(1));
        Assert.That(error.Message, Does.Contain("the gradient is not finite"));
        Assert.That(error.Where, Does.StartWith("2: "));
        Assert.That(trainer.Network.StateDictionary()["1.weight"].Values, Is.EqualTo(before));
    }

    // The step fails before its update, after it has changed gradients, running statistics and random numbers.
    [TestCase(1)]
    [TestCase(2)]
    [TestCase(7)]
    public void A_step_that_ends_in_an_exception_is_taken_again_as_if_for_the_first_time(int failAt)
    {
        Tiny.Start("whole").Run();
        foreach (var failure in (Exception[])[new OperationCanceledException(), new InvalidOperationException("a listener's own")])
        {
            var run = failure.GetType().Name;
            var trainer = Tiny.Start(run);
            var steps = 0;
            trainer.GradientsReady += () =>
            {
                if (++steps == failAt) throw failure;
            };
            if (failure is OperationCanceledException) Assert.That(trainer.Run(), Is.False);
            else Assert.That(() => trainer.Run(), Throws.Exception.SameAs(failure));
            Assert.That(trainer.State.Step, Is.EqualTo(failAt - 1));
            Assert.That(trainer.Network.Parameters().Select(parameter => parameter.Grad), Is.All.Null);
            Assert.That(trainer.Run(), Is.True);

            foreach (var file in new[] { "last.safetensors", "best.safetensors" })
                Assert.That(File.ReadAllBytes(Tiny.PathOf($"{run}/{file}")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf($"whole/{file}"))), file);
        }
    }

    [Test]
    public void An_epoch_is_kept_whatever_its_listener_throws()
    {
        var trainer = Tiny.Start("run");
        trainer.EpochEnded += _ => throw new InvalidOperationException("a listener's own");
        Assert.That(() => trainer.Run(), Throws.InvalidOperationException);
        Assert.That(Tiny.Start("run").State.Epoch, Is.EqualTo(1));
        Assert.That(File.Exists(Tiny.PathOf("run/best.safetensors")));
        Assert.That(File.ReadAllLines(Tiny.PathOf("run/metrics.csv")), Has.Length.EqualTo(2));
    }

    [Test]
    public void Run_whose_test_loss_is_not_finite_stops_and_keeps_what_was_good()
    {
        var fault = new EvaluationFault { From = 3 };
        var trainer = Tiny.Start("run", TinyTraining.Options with { Epochs = 4 }, () => new Sequential(TinyTraining.Network(), fault));
        trainer.EpochEnded += _ => fault.Epoch++;

        var error = Assert.Throws<TrainingDivergedException>(() => trainer.Run())!;

        Assert.That(error.Message, Does.Contain("epoch 3").And.Contain("the loss on the test examples is NaN").And.Contain("1: ").And.Contain("learning rate"));
        Assert.That(error.Message, Does.Contain($"epoch {trainer.Best!.Epoch}").And.Contain("are kept"));
        Assert.That(error.LastGood, Is.EqualTo(Tiny.PathOf("run/last.safetensors")));
        Assert.That(trainer.State.History, Has.Count.EqualTo(2));
        Assert.That(Tiny.Start("run", TinyTraining.Options with { Epochs = 4 }, () => new Sequential(TinyTraining.Network(), new EvaluationFault())).State.Epoch, Is.EqualTo(2));
        Checkpoint.LoadWeights(Tiny.PathOf("run/best.safetensors"), trainer.Network);
    }

    static Sequential Poisoned(Poison poison) => new(
        new Flatten(), new Sequential(new Linear(64, 16), new Relu(), new Function("Trap", poison.Compute)), new Linear(16, 3));

    /// <summary>A layer whose logarithm gets a negative number from one step on.</summary>
    sealed class Poison
    {
        public int Step { get; set; } = 1;

        public int From { get; init; } = int.MaxValue;

        public Tensor Compute(Tensor x) => (x + (Step < From ? 1f : -100f)).Log();
    }

    /// <summary>Returns its input, but NaN in inference from an epoch on.</summary>
    sealed class EvaluationFault : Module
    {
        public int Epoch { get; set; } = 1;

        public int From { get; init; } = int.MaxValue;

        protected override Tensor Compute(Tensor x) => Training || Epoch < From ? x : (x * 0f - 1f).Log();
    }
}
