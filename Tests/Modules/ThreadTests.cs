using QuadEngine.Data;
using QuadEngine.Devices;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Modules;

/// <summary>One network and several threads: inference is right, and training by two threads is refused.</summary>
public class ThreadTests
{
    static void InParallel(int threads, Action<int> body)
    {
        var failures = new System.Collections.Concurrent.ConcurrentBag<Exception>();
        Thread[] all = [.. Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            try
            {
                body(i);
            }
            catch (Exception failure)
            {
                failures.Add(failure);
            }
        }))];
        foreach (var thread in all) thread.Start();
        foreach (var thread in all) thread.Join();
        Assert.That(failures, Is.Empty);
    }

    static ImageDataset Data(int count)
    {
        var random = Tensor.Uniform([count * 8 * 8 * 3], generator: new Generator(4)).ToArray();
        return new("noise", random.Select(value => (byte)(255 * value)).ToArray(), Enumerable.Range(0, count).Select(i => i % 10).ToArray(), [.. Enumerable.Range(0, 10).Select(i => $"class {i}")], 8, 8, 3);
    }

    [Test]
    public void Four_threads_times_ten_evaluations_give_one_loss_and_leave_the_network_as_it_was([Values] bool training)
    {
        Generator.Default = new Generator(1);
        var frozen = new BatchNorm(8);
        var net = new Sequential(new Layers.Conv2d(3, 8, 3, padding: 1), frozen, new Layers.Relu(), new Layers.Dropout(0.5f), new BatchNorm(8), new Flatten(), new Linear(512, 10));
        net.Train(training);
        frozen.Eval();
        var images = Data(40);
        var before = net.StateDictionary();
        var position = Generator.Default.Position;
        var losses = new System.Collections.Concurrent.ConcurrentBag<double>();
        InParallel(4, _ =>
        {
            for (var i = 0; i < 10; i++) losses.Add(Evaluation.Run(net, images, batchSize: 16).Loss);
        });

        net.Eval();
        var expected = Evaluation.Run(net, images, batchSize: 16).Loss;
        net.Train(training);
        frozen.Eval();
        Assert.That(losses, Has.Count.EqualTo(40).And.All.EqualTo(expected));
        Assert.That(net.StateDictionary().Select(entry => entry.Value.Values), Is.EqualTo(before.Select(entry => entry.Value.Values)));
        Assert.That((net.Training, frozen.Training, Generator.Default.Position), Is.EqualTo((training, false, position)));
    }

    [Test]
    public void Evaluation_beside_training_sees_inference_and_training_goes_on()
    {
        var net = new Sequential(new BatchNorm(2), new Layers.Dropout(0.5f));
        var x = Tensor.Uniform([64, 2], generator: new Generator(1));
        using (new EvaluationMode())
        {
            Assert.That(net[x].ToArray(), Is.EqualTo(x.ToArray()).Within(1e-4f));
            Assert.That(net.Training, Is.False);
            net.Eval();
            net.Train();
            Assert.That(net.Training, Is.False, "the flow's mode wins");
        }

        Assert.That(net.Training);
        Assert.That(net[x].ToArray(), Does.Contain(0f));
    }

    [Test]
    public async Task An_evaluation_goes_on_behind_an_await()
    {
        var net = new Sequential(new Layers.Dropout(0.5f));
        var x = Tensor.Ones([100]);
        using (new EvaluationMode())
        {
            await Task.Factory.StartNew(() => Thread.Sleep(5), default, TaskCreationOptions.LongRunning, TaskScheduler.Default).ConfigureAwait(false);
            Assert.That(net[x].ToArray(), Is.All.EqualTo(1f));
        }

        Assert.That(net[x].ToArray(), Does.Contain(0f));
    }

    [Test]
    public void Modes_places_and_weights_do_not_change_under_a_call()
    {
        using SemaphoreSlim inside = new(0), leave = new(0);
        var linear = new Linear(1, 1);
        var net = new Sequential(linear, new Function("slow", x =>
        {
            inside.Release();
            leave.Wait();
            return x * 2f;
        }));
        var state = net.StateDictionary();
        var before = linear.Parameters().First().ToArray();
        var call = Task.Run(() => net[Tensor.Ones([1, 1])].Item());
        inside.Wait();
        Assert.That(() => net.Train(), Throws.Nothing, "it is in training");
        Assert.That(() => net.Eval(), Throws.InvalidOperationException.With.Message.Contains("EvaluationMode"));
        Assert.That(() => net.MoveTo(Device.Cpu), Throws.InvalidOperationException.With.Message.Contains("MoveTo"));
        Assert.That(() => net.LoadStateDictionary(state), Throws.InvalidOperationException.With.Message.Contains("second network"));
        leave.Release();
        Assert.That(call.Result, Is.EqualTo(2f * linear.Parameters().Sum(parameter => parameter.Item())));
        net.LoadStateDictionary(state);
        net.MoveTo(Device.Cpu);
        Assert.That(net.Eval().Training, Is.False);
        Assert.That(linear.Parameters().First().ToArray(), Is.EqualTo(before));
    }

    // ---- results

    static IEnumerable<TestCaseData> Returned()
    {
        var parameter = new Parameter(Tensor.Full([3], 2f));
        yield return new TestCaseData(parameter).SetName("A_result_is_a_handle_of_its_own: a parameter");
        var captured = Tensor.Full([3], 2f);
        yield return new TestCaseData(captured).SetName("A_result_is_a_handle_of_its_own: a captured tensor");
        yield return new TestCaseData(null).SetName("A_result_is_a_handle_of_its_own: one that the module keeps");
    }

    [TestCaseSource(nameof(Returned))]
    public void A_result_is_a_handle_of_its_own(Tensor? other)
    {
        Tensor? kept = other;
        var module = new Sequential(new Function("constant", x => kept ??= (x * 2f).Keep()));
        for (var i = 0; i < 3; i++)
        {
            using var y = module[Tensor.Ones([3])];
            Assert.That(y.ToArray(), Is.All.EqualTo(2f));
            Assert.That(y.RequiresGrad, Is.EqualTo(other is Parameter));
        }

        Assert.That(kept!.ToArray(), Is.All.EqualTo(2f));
        if (other is not Parameter) return;
        module[Tensor.Ones([3])].Sum().Backward();
        Assert.That(other.Grad!.ToArray(), Is.All.EqualTo(1f));
    }

    // ---- training by two threads

    static string? Refusal(Action action)
    {
        string? refusal = null;
        var thread = new Thread(() =>
        {
            try
            {
                action();
            }
            catch (InvalidOperationException e)
            {
                refusal = e.Message;
            }
        });
        thread.Start();
        thread.Join();
        return refusal;
    }

    sealed class Slow(IEnumerable<Parameter> parameters, Action during) : CustomOptimizer([new ParameterGroup("all", [.. parameters])], 0.1f)
    {
        protected override void Update(ParameterUpdate update) => during();
    }

    [Test]
    public void Two_steps_at_once_on_one_parameter_are_refused()
    {
        Parameter shared = new(Tensor.Ones([2])), own = new(Tensor.Ones([2]));
        string? refusal = null, apart = null;
        foreach (var parameter in (Parameter[])[shared, own]) (parameter * 2f).Sum().Backward();
        new Slow([shared], () =>
        {
            refusal = Refusal(new Sgd([shared], 0.1f).Step);
            apart = Refusal(new Sgd([own], 0.1f).Step);
        }).Step();
        Assert.That(refusal, Does.Contain("another thread").And.Contain("Sgd.Step").And.Contain("[2]"));
        Assert.That(apart, Is.Null);
        Assert.That(Refusal(new Sgd([shared], 0.1f).Step), Is.Null, "the step is over");
    }

    // An input that is computed when the batch norm asks for statistics.
    sealed class Input(Action during) : QuadEngine.Operations.DeferredStep([4, 2], Device.Cpu, [])
    {
        public override bool IsFree(Tensor z) => false;

        protected override bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y)
        {
            during();
            Device.Kernels.Fill(y, 3f);
            return false;
        }
    }

    [Test]
    public void Two_training_calls_at_once_of_one_batch_norm_are_refused()
    {
        var norm = new BatchNorm(2);
        var x = Tensor.Uniform([4, 2], generator: new Generator(1));
        string? training = null, inference = null;
        using var slow = new Input(() =>
        {
            training = Refusal(() => norm[x].ToArray());
            inference = Refusal(() =>
            {
                using var mode = new EvaluationMode();
                norm[x].ToArray();
            });
        }).Result();
        norm[slow].ToArray();
        Assert.That(training, Does.Contain("another thread").And.Contain("BatchNorm"));
        Assert.That(inference, Is.Null);
        Assert.That(Refusal(() => norm[x].ToArray()), Is.Null);
    }

    [Test]
    public void A_recorded_step_runs_on_one_thread_at_a_time()
    {
        string? refusal = null;
        RecordedStep step = null!;
        step = new RecordedStep(Device.Cpu, () => refusal ??= Refusal(() => step.Run()) ?? "");
        step.Run();
        Assert.That(refusal, Does.Contain("another thread"));
        step.Dispose();
    }

    [Test]
    public void Claims_are_a_threads_own_until_it_leaves()
    {
        Parameter a = new(Tensor.Ones([2])), b = new(Tensor.Ones([3]));
        using (var outer = new Claims("Backward"))
        {
            outer.Take(a);
            outer.Take(Tensor.Ones([1]));
            using (var nested = new Claims("Backward"))
            {
                nested.Take(a);
                nested.Take(b);
                Assert.That(Refusal(() => TakeOnce(b)), Does.Contain("Sgd.Step").And.Contain("[3]"));
            }

            Assert.That(Refusal(() => TakeOnce(b)), Is.Null);
            Assert.That(Refusal(() => TakeOnce(a)), Does.Contain("[2]"), "the outer pass still holds it");
        }

        Assert.That(Refusal(() => TakeOnce(a)), Is.Null);

        static void TakeOnce(Parameter parameter)
        {
            using var claims = new Claims("Sgd.Step");
            claims.Take(parameter);
        }
    }
}
