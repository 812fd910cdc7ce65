using QuadEngine.Data;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Tasks;

/// <summary>One trainer for any task: it learns, stops early, and continues after an interruption with the same bits.</summary>
sealed class TaskTests
{
    static readonly TrainerOptions Options = new() { Epochs = 8, BatchSize = 16, Optimizer = "adamw", LearningRate = 0.05f, WarmUpEpochs = 0.5f, ClipNorm = 1f, CheckpointSeconds = null };

    string folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("quadengine-task-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    static readonly (string Name, Func<TrainingTask> Make)[] All =
    [
        ("regression", Regression),
        ("labels", Labels),
        ("segmentation", Segmentation),
        ("tokens", () => new NextToken(new TokenNetwork())),
    ];

    static IEnumerable<string> Names => All.Select(task => task.Name);

    [Test]
    public void Task_learns_and_tells_its_metrics([ValueSource(nameof(Names))] string name)
    {
        var trainer = Start(name, folder: null);
        var steps = new List<StepMetrics>();
        trainer.Stepped += steps.Add;
        Assert.That(trainer.Run());

        var last = trainer.State.History[^1];
        Assert.That(Math.Max(last.TrainLoss, last.TestLoss), Is.LessThan(0.7 * steps[0].Loss));
        Assert.That(last.Test.Keys, Is.EqualTo(steps[0].Metrics.Keys).And.EqualTo(last.Train.Keys).And.Not.Empty);
        Assert.That(steps.Sum(step => step.Examples), Is.EqualTo(96 * Options.Epochs));
        Assert.That(trainer.BestBy, Is.EqualTo(last.Test.Keys.First()));
    }

    [Test]
    public void Task_stopped_and_resumed_has_the_bits_of_one_that_never_stopped([ValueSource(nameof(Names))] string name, [Values(4, 12)] int stopAfter)
    {
        Start(name, "whole").Run();
        using (var stop = new CancellationTokenSource())
        {
            var first = Start(name, "stopped");
            first.Stepped += step => { if (step.Step == stopAfter) stop.Cancel(); };
            Assert.That(first.Run(stop.Token), Is.False);
        }

        Generator.Default = new Generator(99);
        var second = Start(name, "stopped");
        Assert.That(second.State.Step, Is.EqualTo(stopAfter));
        Assert.That(second.Run());
        foreach (var file in (string[])["last.safetensors", "best.safetensors"])
            Assert.That(File.ReadAllBytes(PathOf("stopped", file)), Is.EqualTo(File.ReadAllBytes(PathOf("whole", file))), file);
        Assert.That(Columns("stopped"), Is.EqualTo(Columns("whole")));
        Assert.That(File.ReadAllText(PathOf("whole", "curves.svg")), Does.Contain(second.BestBy.Replace('_', ' ')));
    }

    // All but the timings, which are the last three.
    string[] Columns(string run) => [.. File.ReadAllLines(PathOf(run, "metrics.csv")).Select(line => string.Join(',', line.Split(',')[..^3]))];

    string PathOf(string run, string file) => Path.Combine(folder, run, file);

    [Test]
    public void Training_stops_when_no_epoch_is_better_for_a_while_and_does_not_go_on()
    {
        var options = Options with { Epochs = 50, Patience = 2, LearningRate = 1e-12f };
        var trainer = new Trainer(Regression(), options, RunFolder.OpenOrCreate(Path.Combine(folder, "early"), "early"));
        Assert.That(trainer.Run());
        Assert.That(trainer.Finished);
        Assert.That(trainer.State.Epoch, Is.LessThan(50).And.EqualTo(trainer.Best!.Epoch + 2));

        var again = new Trainer(Regression(), options, RunFolder.OpenOrCreate(Path.Combine(folder, "early"), "early"));
        again.Resume();
        Assert.That(again.Run());
        Assert.That(again.State.Epoch, Is.EqualTo(trainer.State.Epoch));
    }

    [TestCase(null, "mean_absolute_error")]
    [TestCase("loss", "loss")]
    [TestCase("root_mean_square_error", "root_mean_square_error")]
    public void Best_epoch_is_the_best_by_what_was_asked_for(string? asked, string by)
    {
        var trainer = new Trainer(Regression(), Options with { BestBy = asked });
        trainer.Run();
        Assert.That(trainer.BestBy, Is.EqualTo(by));
        Assert.That(trainer.Best, Is.EqualTo(trainer.State.History.MinBy(epoch => by == "loss" ? epoch.TestLoss : epoch.Test[by])));
    }

    [Test]
    public void Options_that_a_task_does_not_have_are_named()
    {
        Refused(Options with { BestBy = "accuracy" }, "BestBy is \"accuracy\", expected one of mean_absolute_error, root_mean_square_error, loss");
        Refused(Options with { LabelSmoothing = 0.1f }, "LabelSmoothing");
        Refused(Options with { Augmentation = "crop-flip" }, "Augmentation");
        Refused(Options with { Patience = 0 }, "Patience is 0");

        // A task with labels has its own smoothing option, so the trainer's option would have no effect.
        var classes = ExampleSet.Of(Tensor.Ones([4, 1]), IntTensor.FromArray([0, 1, 0, 1]));
        Assert.That(() => new Trainer(new Classification(new Linear(1, 2), classes, classes), Options with { LabelSmoothing = 0.1f }), Throws.ArgumentException.With.Message.Contains("give it to the task"));

        static void Refused(TrainerOptions options, string message) => Assert.That(() => new Trainer(Regression(), options), Throws.ArgumentException.With.Message.Contains(message));
    }

    [Test]
    public void Judgement_that_is_not_of_its_task_is_refused_by_name()
    {
        Assert.That(() => new Trainer(new Wrong(loss: true), Options).Run(), Throws.ArgumentException.With.Message.Contains("the loss has shape [16]"));
        Assert.That(() => new Trainer(new Wrong(loss: false), Options).Run(), Throws.ArgumentException.With.Message.Contains("it measured nothing, expected its metrics, mean_absolute_error"));
    }

    [Test]
    public void Evaluation_is_of_any_examples_and_leaves_the_network_in_its_mode()
    {
        var task = (Regression)Regression();
        TaskEvaluation whole = task.Evaluate(batchSize: 1000), parts = task.Evaluate(task.TestExamples, batchSize: 7);
        Assert.That(parts.Examples, Is.EqualTo(24));
        Assert.That(parts.Loss, Is.EqualTo(whole.Loss).Within(1e-6 * whole.Loss));
        Assert.That(parts.Metrics["mean_absolute_error"], Is.EqualTo(whole.Metrics["mean_absolute_error"]).Within(1e-5));
        Assert.That(task.Network.Training);
        Assert.That(() => task.Evaluate(ExampleSet.Of(Tensor.Ones([0, 4]), Tensor.Ones([0, 1]), "nothing")), Throws.ArgumentException.With.Message.Contains("nothing has no examples"));
    }

    [Test]
    public void Folder_of_a_program_is_known_by_its_title_and_is_no_run_of_the_tool()
    {
        var opened = RunFolder.OpenOrCreate(Path.Combine(folder, "mine"), "rain");
        Assert.That((opened.Title, RunFolder.OpenOrCreate(opened.Folder, "rain").Title, RunFolder.Exists(opened.Folder)), Is.EqualTo(("rain", "rain", true)));
        Assert.That(() => RunFolder.OpenOrCreate(opened.Folder, "snow"), Throws.TypeOf<IOException>().With.Message.Contains("\"rain\"").And.Message.Contains("\"snow\""));
        Assert.That(() => opened.Configuration, Throws.InvalidOperationException.With.Message.Contains("belongs to a program, \"rain\""));
        Assert.That(() => TrainingRun.Resume(opened.Folder), Throws.InvalidOperationException.With.Message.Contains("Run that program again"));
        File.WriteAllText(Path.Combine(folder, "metrics.csv"), "mine");
        Assert.That(() => RunFolder.OpenOrCreate(folder, "rain"), Throws.TypeOf<IOException>().With.Message.Contains("metrics.csv"));
    }

    Trainer Start(string name, string? folder)
    {
        Generator.Default = new Generator(Options.Seed);
        var trainer = new Trainer(All.Single(task => task.Name == name).Make(), Options, folder is null ? null : RunFolder.OpenOrCreate(Path.Combine(this.folder, folder), name));
        trainer.Resume();
        return trainer;
    }

    // ---- the tasks, each with 96 training examples and 24 test examples

    static TrainingTask Regression()
    {
        var x = Tensor.Normal([120, 4], generator: new Generator(1));
        var (train, test) = ExampleSet.Of(x, x.Square().Sum([-1], keepDims: true)).Split(0.2f);
        return new Regression(Perceptron(4, 1), train, test);
    }

    static TrainingTask Labels()
    {
        var x = Tensor.Normal([120, 3], generator: new Generator(2));
        var (train, test) = ExampleSet.Of(x, x.Greater(0f)).Split(0.2f);
        return new MultiLabelClassification(Perceptron(3, 3), train, test);
    }

    // Bright pixels have class 1.
    static TrainingTask Segmentation()
    {
        var x = Tensor.Uniform([120, 6, 6, 1], generator: new Generator(3));
        var labels = IntTensor.FromSpan(Array.ConvertAll(x.ToArray(), value => value > 0.6f ? 1 : 0), [120, 6, 6]);
        var (train, test) = ExampleSet.Of(x, labels).Split(0.2f);
        return new Segmentation(new Sequential(Layers.Neurons.Quadratic(2).Conv2d(1, 6, 3, padding: 1, bias: false), new BatchNorm(6), new Dropout(0.1f), new Conv2d(6, 2, 1)), train, test, classes: 2);
    }

    static Sequential Perceptron(int features, int outputs) => new(Layers.Neurons.Quadratic(3).Dense(features, 32), new Relu(), new Linear(32, outputs));

    /// <summary>Tokens, and a mask of the tokens that count: a user's own batch, network and examples.</summary>
    readonly record struct Tokens(IntTensor Ids, Tensor Mask, IntTensor Next) : ITensorTuple
    {
        public ITensorTuple Map(Func<Tensor, Tensor> tensors, Func<IntTensor, IntTensor> integers) => new Tokens(integers(Ids), tensors(Mask), integers(Next));
    }

    sealed class TokenExamples(int first, int count) : ExampleSet<Tokens>("tokens")
    {
        public override int Count => count;

        // The next token depends on the previous one; random changes mask one token.
        protected override Tokens Gather(ReadOnlySpan<int> examples, RandomStream? random)
        {
            const int length = 4;
            var (ids, mask, next) = (new int[examples.Length * length], new float[examples.Length * length], new int[examples.Length * length]);
            for (var i = 0; i < ids.Length; i++)
            {
                var example = examples[i / length];
                ids[i] = (first + example + i % length * 3) % 7;
                next[i] = (ids[i] + 3) % 7;
                mask[i] = random is { } stream && stream.At(example).X % length == i % length ? 0f : 1f;
            }

            Shape shape = [examples.Length, length];
            return new(IntTensor.FromSpan(ids, shape), Tensor.FromArray(mask, [.. shape, 1]), IntTensor.FromSpan(next, shape));
        }
    }

    sealed class TokenNetwork : Module<(IntTensor Ids, Tensor Mask), Tensor>
    {
        readonly Module head;

        public TokenNetwork() => head = Register("head", new Linear(7, 7));

        protected override Tensor Compute((IntTensor Ids, Tensor Mask) x)
        {
            var ids = x.Ids.ToArray();
            var oneHot = new float[ids.Length * 7];
            for (var i = 0; i < ids.Length; i++) oneHot[i * 7 + ids[i]] = 1f;
            return head[Tensor.FromArray(oneHot, [.. x.Ids.Shape, 7]) * x.Mask];
        }
    }

    sealed class NextToken(TokenNetwork network) : TrainingTask<Tokens>(network, new TokenExamples(0, 96), new TokenExamples(96, 24), Metric.Accuracy)
    {
        protected override Judgement Judge(Tokens batch)
        {
            var logits = network[(batch.Ids, batch.Mask)];
            return new(Losses.CrossEntropy(logits, batch.Next), Metric.Accuracy.Of(logits.ArgMax(), batch.Next));
        }
    }

    sealed class Wrong : TrainingTask<Batch<Tensor, Tensor>>
    {
        readonly Module network;
        readonly bool loss;

        public Wrong(bool loss) : this(new Linear(1, 1), ExampleSet.Of(Tensor.Ones([96, 1]), Tensor.Ones([96, 1])), loss)
        {
        }

        Wrong(Module network, IExamples<Batch<Tensor, Tensor>> examples, bool loss) : base(network, examples, examples, Metric.MeanAbsoluteError) => (this.network, this.loss) = (network, loss);

        protected override Judgement Judge(Batch<Tensor, Tensor> batch)
        {
            var y = network[batch.Input];
            return loss ? new(y.Reshape([y.Length]), Metric.MeanAbsoluteError.Of(y, batch.Target)) : new(y.Mean());
        }
    }
}
