using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Training;

public sealed class TrainerTests : TinyTrainingTests
{
    [Test]
    public void Training_learns_and_tells_of_every_step_and_epoch()
    {
        var trainer = Tiny.Start(options: TinyTraining.Options with { Epochs = 12, Optimizer = "adamw", LearningRate = 0.01f });
        var (steps, epochs) = (new List<StepMetrics>(), new List<EpochMetrics>());
        trainer.Stepped += steps.Add;
        trainer.EpochEnded += epochs.Add;

        Assert.That(trainer.Run(), Is.True);

        Assert.That(epochs[^1].TestAccuracy, Is.GreaterThan(95));
        Assert.That(epochs[^1].TrainLoss, Is.LessThan(epochs[0].TrainLoss));
        Assert.That(steps.Select(step => step.Step), Is.EqualTo(Enumerable.Range(1, 12 * trainer.StepsPerEpoch)));
        Assert.That(epochs, Is.EqualTo(trainer.State.History));
        Assert.That(epochs.Select(epoch => epoch.PeakBytes), Has.All.GreaterThan(0L));
        Assert.That(trainer.Finished);
    }

    [Test]
    public void Epoch_metrics_are_the_means_over_its_steps()
    {
        var trainer = Tiny.Start();
        var steps = new List<StepMetrics>();
        trainer.Stepped += steps.Add;
        trainer.Run();

        var second = steps.Skip(trainer.StepsPerEpoch).Take(trainer.StepsPerEpoch).ToArray();
        var metrics = trainer.State.History[1];
        Assert.That(metrics.TrainLoss, Is.EqualTo(second.Average(step => (double)step.Loss)).Within(1e-6));
        Assert.That(metrics.TrainAccuracy, Is.EqualTo(second.Sum(step => step.Metrics["accuracy"] * step.Examples) / second.Sum(step => step.Examples)));
        Assert.That(metrics.LearningRate, Is.EqualTo(second[^1].LearningRate));
        Assert.That(metrics.Step, Is.EqualTo(second[^1].Step));
    }

    [Test]
    public void Learning_rate_warms_up_and_falls_along_the_cosine()
    {
        var trainer = Tiny.Start();
        var rates = new List<float>();
        trainer.Stepped += step => rates.Add(step.LearningRate);
        trainer.Run();

        const int warmUp = 3, total = 18;      // half an epoch of 6 steps, and 3 epochs
        for (var step = 0; step < total; step++)
        {
            var expected = step < warmUp ? (float)step / warmUp : 0.5 * (1.0 + Math.Cos(Math.PI * (step - warmUp) / (total - warmUp)));
            Assert.That(rates[step], Is.EqualTo(0.05 * expected).Within(1e-6), $"step {step}");
        }
    }

    [TestCase(1)]
    [TestCase(6)]
    [TestCase(8)]
    [TestCase(17)]
    public void Run_stopped_after_any_step_and_resumed_leaves_the_bits_of_the_run_never_stopped(int stopAfter)
    {
        Tiny.Start("whole").Run();

        var first = Tiny.Start("stopped");
        using var stop = new CancellationTokenSource();
        first.Stepped += step => { if (step.Step == stopAfter) stop.Cancel(); };
        Assert.That(first.Run(stop.Token), Is.False);
        Assert.That(first.State.Step, Is.EqualTo(stopAfter));
        Generator.Default = new Generator(99);      // other random numbers of the process between the two
        var second = Tiny.Start("stopped");
        Assert.That(second.Run(), Is.True);

        foreach (var file in new[] { "last.safetensors", "best.safetensors" })
            Assert.That(File.ReadAllBytes(Tiny.PathOf($"stopped/{file}")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf($"whole/{file}"))), file);
        Assert.That(Results("stopped"), Is.EqualTo(Results("whole")));
    }

    [TestCase(1)]
    [TestCase(9)]
    public void Telemetry_has_a_row_a_layer_and_recorded_step_and_changes_nothing(int stopAfter)
    {
        var options = TinyTraining.Options with { TelemetrySteps = 4 };
        Tiny.Start("plain").Run();
        Tiny.Start("whole", options).Run();
        var first = Tiny.Start("stopped", options);
        using var stop = new CancellationTokenSource();
        first.Stepped += step => { if (step.Step == stopAfter) stop.Cancel(); };
        first.Run(stop.Token);
        var file = Tiny.PathOf("stopped/telemetry.csv");
        File.AppendAllText(file, "12,0,0.5,0.");      // an incomplete line for a step after the checkpoint
        Tiny.Start("stopped", options).Run();

        var lines = File.ReadAllLines(Tiny.PathOf("whole/telemetry.csv"));
        Assert.That(lines[0], Is.EqualTo("step,layer,lambda_norm,quadratic_share,effective_rank,weight_gradient,lambda_gradient,spectrum"));
        Assert.That(lines.Skip(1).Select(line => line.Split(',')[0]), Is.EqualTo(new[] { "4", "8", "12", "16" }));
        double[] last = [.. lines[^1].Split(',').Skip(2).SelectMany(cell => cell.Split(' ')).Select(text => double.Parse(text, System.Globalization.CultureInfo.InvariantCulture))];
        Assert.That(last, Has.Length.EqualTo(7).And.All.Matches<double>(double.IsFinite), "five numbers, and the spectrum of rank 2");
        Assert.That(last[0], Is.GreaterThan(0), "Lambda has left 0");
        Assert.That(File.ReadAllText(file), Is.EqualTo(File.ReadAllText(Tiny.PathOf("whole/telemetry.csv"))), "a run that was stopped");
        Assert.That(File.ReadAllBytes(Tiny.PathOf("whole/last.safetensors")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf("plain/last.safetensors"))));
    }

    [Test]
    public void Run_killed_between_two_checkpoints_repeats_what_was_lost()
    {
        Tiny.Start("whole").Run();

        // A kill leaves the folder as it was at that moment: the checkpoint of step 8, files of a later epoch, and an incomplete partial file.
        var killed = Tiny.Start("killed", TinyTraining.Options with { CheckpointSteps = 8 });
        killed.Stepped += step => { if (step.Step == 9) File.Copy(Tiny.PathOf("killed/last.safetensors"), Tiny.PathOf("at8")); };
        killed.Run();
        File.Move(Tiny.PathOf("at8"), Tiny.PathOf("killed/last.safetensors"), overwrite: true);
        File.WriteAllText(Tiny.PathOf("killed/last.safetensors.partial"), "torn");

        Tiny.Start("killed").Run();

        Assert.That(File.ReadAllBytes(Tiny.PathOf("killed/last.safetensors")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf("whole/last.safetensors"))));
        Assert.That(Results("killed"), Is.EqualTo(Results("whole")));
    }

    [Test]
    public void Threads_change_no_bit()
    {
        var threads = Device.CpuThreads;
        try
        {
            Device.CpuThreads = 1;
            Tiny.Start("one").Run();
            Device.CpuThreads = 3;
            Tiny.Start("three").Run();
        }
        finally
        {
            Device.CpuThreads = threads;
        }

        Assert.That(File.ReadAllBytes(Tiny.PathOf("three/last.safetensors")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf("one/last.safetensors"))));
    }

    [Test]
    public void Best_is_the_epoch_of_the_highest_accuracy_and_of_several_the_one_of_the_lowest_loss()
    {
        var trainer = Tiny.Start("run", TinyTraining.Options with { Epochs = 6 });
        trainer.Run();

        var best = trainer.State.History.Where(epoch => epoch.TestAccuracy == trainer.State.History.Max(other => other.TestAccuracy)).MinBy(epoch => epoch.TestLoss)!;
        Assert.That(trainer.Best, Is.EqualTo(best));
        Checkpoint.LoadWeights(Tiny.PathOf("run/best.safetensors"), trainer.Network);
        var judged = Evaluation.Run((Module)trainer.Network, TinyTraining.Images(40, 1));
        Assert.That(judged.Accuracy, Is.EqualTo(best.TestAccuracy));
        Assert.That(judged.Loss, Is.EqualTo(best.TestLoss).Within(1e-5));
    }

    [TestCase("Epochs", 0)]
    [TestCase("BatchSize", -1)]
    [TestCase("LearningRate", 0)]
    [TestCase("momentum", 1)]
    public void Impossible_option_is_refused_by_name(string name, int value)
    {
        var options = name switch
        {
            "Epochs" => TinyTraining.Options with { Epochs = value },
            "BatchSize" => TinyTraining.Options with { BatchSize = value },
            "LearningRate" => TinyTraining.Options with { LearningRate = value },
            _ => TinyTraining.Options with { Optimizer = new("sgd", (name, value)) },
        };
        var error = Assert.Throws<ArgumentException>(() => Tiny.Start(options: options))!;
        Assert.That(error.Message, Does.Contain(name == "momentum" ? "option \"momentum\" of the optimizer \"sgd\": \"1\" is not possible; give a number from 0 to 0.9999" : $"{name} is {value}, expected"));
    }

    [Test]
    public void Evaluation_leaves_the_mode_and_counts_a_last_smaller_batch()
    {
        var network = (Module)Tiny.Start().Network;
        var whole = Evaluation.Run(network, TinyTraining.Images(40, 1), batchSize: 40);
        var parts = Evaluation.Run(network, TinyTraining.Images(40, 1), batchSize: 17);

        Assert.That(network.Training);
        Assert.That(parts.Images, Is.EqualTo(40));
        Assert.That(parts.Correct, Is.EqualTo(whole.Correct));
        Assert.That(parts.Loss, Is.EqualTo(whole.Loss).Within(1e-6));
        Assert.That(parts.Error, Is.EqualTo(100 - parts.Accuracy).Within(1e-9));
    }

    [TestCase("cosine")]
    [TestCase("steps")]
    public void A_schedule_of_more_steps_than_an_int_counts_begins_as_any_other(string kind)
    {
        var options = new TrainerOptions { Epochs = 1_000_000, Schedule = kind };
        Assert.That(options.CreateSchedule(37_500).At(1), Is.EqualTo(1f));
        Assert.That((options with { WarmUpEpochs = 500_000 }).CreateSchedule(37_500).At(1), Is.Zero.Within(1e-6));
    }

    [Test]
    public void A_generator_of_a_module_goes_on_where_it_was()
    {
        Module Network() => new Sequential(new Flatten(), new Layers.Dropout(0.3f, new Generator(5)), new Linear(64, 3));
        Tiny.Start("whole", network: Network).Run();

        var first = Tiny.Start("stopped", network: Network);
        using var stop = new CancellationTokenSource();
        first.Stepped += step => { if (step.Step == 8) stop.Cancel(); };
        first.Run(stop.Token);
        var second = Tiny.Start("stopped", network: Network);
        Assert.That(second.Network.NamedGenerators().Select(own => (own.Path, own.Generator.Position)), Is.EqualTo(new[] { ("1.generator", 8ul) }));
        second.Run();
        Assert.That(File.ReadAllBytes(Tiny.PathOf("stopped/last.safetensors")), Is.EqualTo(File.ReadAllBytes(Tiny.PathOf("whole/last.safetensors"))));

        var error = Assert.Throws<InvalidFileException>(() => Tiny.Start("stopped", network: () => new Sequential(new Flatten(), new Layers.Dropout(0.3f), new Linear(64, 3))))!;
        Assert.That(error.Message, Does.Contain("random generator \"1.generator\", and no module of this network has one"));
    }

    // Returns metrics.csv without the timings.
    string[] Results(string run) => [.. File.ReadAllLines(Tiny.PathOf($"{run}/metrics.csv")).Select(line => string.Join(',', line.Split(',').Take(7)))];

    [Test]
    public void A_trainer_that_runs_refuses_to_run_a_second_time()
    {
        var trainer = Tiny.Start();
        string? refusal = null;
        trainer.EpochEnded += _ => refusal ??= Assert.Throws<InvalidOperationException>(() => trainer.Run())!.Message;
        trainer.Run();
        Assert.That(refusal, Does.Contain("is already running"));
        Assert.That(trainer.Run(), "it is over");
    }

    [Test]
    public void Of_epochs_of_one_accuracy_the_best_has_the_lowest_loss()
    {
        static EpochMetrics Epoch(int number, double loss, double accuracy) => new(number, number, 0.1f, 1, loss) { Test = new([KeyValuePair.Create("accuracy", accuracy)]) };
        Assert.That(Best(Epoch(1, 0.69, 100), Epoch(2, 0.02, 100), Epoch(3, 0.3, 100)), Is.EqualTo(2), "an undertrained one comes first");
        Assert.That(Best(Epoch(1, 0.1, 90), Epoch(2, 9, 100)), Is.EqualTo(2), "accuracy decides");
        Assert.That(Best(Epoch(1, double.NaN, 10), Epoch(2, double.PositiveInfinity, 10), Epoch(3, 2, 10)), Is.EqualTo(3));
        Assert.That(Best(Epoch(1, 1, 50), Epoch(2, 1, 50)), Is.EqualTo(1));
        Assert.That(EpochRanking.BestOf([Epoch(1, 0.5, 100), Epoch(2, 0.4, 90), Epoch(3, double.NaN, 100)], by: null)!.Epoch, Is.EqualTo(2), "by the loss");
        Assert.That(EpochRanking.BestOf([], Metric.Accuracy), Is.Null);

        static int Best(params EpochMetrics[] history) => EpochRanking.BestOf(history, Metric.Accuracy)!.Epoch;
    }

    [TestCase(33, false, new[] { 16, 17 })]
    [TestCase(33, true, new[] { 16, 16 })]
    [TestCase(34, false, new[] { 16, 16, 2 })]
    [TestCase(34, true, new[] { 16, 16 })]
    [TestCase(32, false, new[] { 16, 16 })]
    [TestCase(9, true, new[] { 9 })]
    public void A_last_batch_of_one_image_joins_the_one_before_it(int images, bool dropLast, int[] batches)
    {
        Module Network() => new Sequential(new Flatten(), new Linear(64, 16), new QuadEngine.Layers.BatchNorm(16), new Linear(16, 3));
        var options = TinyTraining.Options with { Epochs = 2, DropLast = dropLast };
        var trainer = new Trainer(Network(), TinyTraining.Images(images, 0), TinyTraining.Images(9, 1), options);
        var seen = new List<int>();
        trainer.Stepped += step => seen.Add(step.Examples);
        Assert.That(trainer.Run());
        Assert.That(trainer.StepsPerEpoch, Is.EqualTo(batches.Length));
        Assert.That(seen, Is.EqualTo(batches.Concat(batches)));
    }

    // An epoch has six steps at a rate that changes the weights much. So running statistics belong to other weights, and each quadratic layer squares the deviation.
    [TestCase("quadratic")]
    [TestCase("linear")]
    public void Networks_are_judged_with_statistics_of_their_own_weights(string neuron)
    {
        var network = new NetworkConfiguration { Model = "resnet20", Neuron = neuron, Height = 8, Width = 8, Channels = 1, Classes = 3 };
        var options = RunConfiguration.Main.Training with { Epochs = 8, BatchSize = 16, CheckpointSeconds = null };
        var trainer = Tiny.Start(options: options, network: network.Build);
        trainer.Run();

        Assert.That(trainer.State.History.Select(epoch => epoch.TestLoss), Has.All.LessThan(5));
        Assert.That(trainer.State.History[^1].TestAccuracy, Is.GreaterThan(95));
    }

    [TestCase(100, 100)]
    [TestCase(99, 99 + 20)]
    [TestCase(12, 12 + 12)]
    public void Statistics_are_estimated_anew_where_an_epoch_has_few_steps(int steps, int calls)
    {
        var counted = 0;
        Module Network() => new Sequential(new Function("Count", Count), new Flatten(), new Linear(64, 4), new QuadEngine.Layers.BatchNorm(4), new Linear(4, 3));
        var trainer = new Trainer(Network(), TinyTraining.Images(2 * steps, 0), TinyTraining.Images(2, 1), TinyTraining.Options with { Epochs = 1, BatchSize = 2 });
        trainer.Run();
        Assert.That(counted, Is.EqualTo(calls + 1), "and one of the evaluation");

        Tensor Count(Tensor x)
        {
            counted++;
            return x;
        }
    }
}
