using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>The results of a training step.</summary>
/// <param name="Step">The number of the step over the whole run, from 1.</param>
/// <param name="Loss">The mean loss over the batch, before the update.</param>
/// <param name="Metrics">The task's metrics for the batch, before the update.</param>
/// <param name="Examples">The number of examples in the batch.</param>
/// <param name="LearningRate">The learning rate of the update.</param>
/// <param name="GradientNorm">The norm of all gradients together, before clipping.</param>
public readonly record struct StepMetrics(int Step, float Loss, MetricValues Metrics, int Examples, float LearningRate, float GradientNorm);

/// <summary>
/// Trains a network for a task: batches, loss, backward, update; an evaluation after each epoch; checkpoints from which a run resumes with the same bits.
/// <code>
/// var trainer = new Trainer(new Regression(network, train, test), new TrainerOptions { Epochs = 10 });
/// trainer.EpochEnded += epoch => Console.WriteLine($"{epoch.Epoch}: {epoch.TestLoss:0.000} {epoch.Test}");
/// trainer.Run();
/// </code>
/// </summary>
/// <remarks>
/// <see cref="TrainerOptions.Seed"/> and <see cref="Generator.Default"/> decide the order of the examples, dropout and everything else that is random.
/// Only one thread at a time may run a trainer, and only one trainer may train a network; a second one throws. Trainers of different networks may run at the same time, but they
/// share the default generator, so a network with dropout then gets other bits. Other threads must not call the network during the training.
/// </remarks>
public sealed class Trainer
{
    readonly TrainingTask task;
    readonly RunFolder? folder;
    readonly Schedule schedule;
    readonly Stopwatch sinceCheckpoint = new();
    TrainingTask.IPlaced? trainPlaced, testPlaced;
    int running;
    TrainingStep.Launched? underWay;
    (DateTime Written, long Bytes)? goesOnFrom;

    /// <summary>Creates a trainer at the first step of a run.</summary>
    /// <param name="task">The network, which is trained in place on its device, and its examples, loss and metrics.</param>
    /// <param name="options">The options of the training.</param>
    /// <param name="folder">The folder for metrics, curves and checkpoints; null for no files.</param>
    /// <exception cref="ArgumentException">An option is out of range, or does not belong to this task.</exception>
    public Trainer(TrainingTask task, TrainerOptions options, RunFolder? folder = null) : this(task, options, folder, ofImages: false)
    {
    }

    Trainer(TrainingTask task, TrainerOptions options, RunFolder? folder, bool ofImages)
    {
        options.Validate(task, ofImages);
        (this.task, Options, this.folder) = (task, options, folder);
        StepsPerEpoch = Order.BatchesOf(task.Train.Count);
        schedule = options.CreateSchedule(StepsPerEpoch);
        Optimizer = options.CreateOptimizer(Network.ParameterGroups());
    }

    /// <summary>Creates a trainer of a classifier of images: a <see cref="Classification"/> with the augmentation and the label smoothing of the options.</summary>
    /// <param name="network">A network, [N, H, W, C] to logits [N, classes]. It is trained in place, on its device.</param>
    /// <param name="train">The training images.</param>
    /// <param name="test">The test images for the evaluation after each epoch.</param>
    /// <param name="options">The options of the training.</param>
    /// <param name="folder">The folder for metrics, curves and checkpoints; null for no files.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a data set is empty.</exception>
    public Trainer(Module network, LabeledImages train, LabeledImages test, TrainerOptions options, RunFolder? folder = null)
        : this(new Classification(network, train.Augmented(options.CreateAugmentation(train.ImageShape)), test) { LabelSmoothing = options.LabelSmoothing }, options, folder, ofImages: true)
    {
    }

    /// <summary>The network in training.</summary>
    public ModuleBase Network => task.Network;

    /// <summary>The options of the training.</summary>
    public TrainerOptions Options { get; }

    /// <summary>The optimizer.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>The state of the run.</summary>
    public TrainingState State { get; private set; } = new();

    /// <summary>The number of steps in an epoch. The last step may have fewer examples, see <see cref="TrainerOptions.DropLast"/>.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>Whether all epochs are done, or <see cref="TrainerOptions.Patience"/> has ended the run.</summary>
    public bool Finished => State.Epoch >= Options.Epochs || Options.Patience is { } patience && Best is { } best && State.Epoch - best.Epoch >= patience;

    /// <summary>The best epoch by <see cref="TrainerOptions.BestBy"/>; of equal epochs the one with the lowest test loss, then the first. Null before the first epoch ends.</summary>
    public EpochMetrics? Best => EpochRanking.BestOf(State.History, task.Metrics.FirstOrDefault(metric => metric.Name == BestBy));

    /// <summary>The name of the metric that decides the best epoch, or "loss".</summary>
    public string BestBy => Options.BestBy ?? task.Metrics.FirstOrDefault()?.Name ?? TrainingTask.LossName;

    /// <summary>Raised in each step when the gradients are computed, before they are clipped and used. While this event has a handler, steps are not replayed.</summary>
    public event Action? GradientsReady;

    /// <summary>Raised for each update when its values are available. On a GPU this is one step late, when the GPU already computes the next step.</summary>
    public event Action<StepMetrics>? Stepped;

    /// <summary>Raised after each epoch's evaluation, before its checkpoint is written.</summary>
    public event Action<EpochMetrics>? EpochEnded;

    /// <summary>Resumes from the folder's last checkpoint; starts at the first step if there is no checkpoint.</summary>
    /// <exception cref="InvalidFileException">The checkpoint is damaged, or belongs to another network or optimizer.</exception>
    public void Resume()
    {
        if (folder is null || !File.Exists(folder.Last)) return;
        goesOnFrom = LastWritten();
        State = Checkpoint.Restore(folder.Last, Network, Optimizer);
        State = State with { History = folder.WithTimings(State.History) };
    }

    /// <summary>Trains to the last epoch. During this time no other trainer, in this process or another, can write to the folder.</summary>
    /// <param name="cancellation">Stops the training after the current step, with a checkpoint.</param>
    /// <returns>True if all epochs are done, false if the run was canceled.</returns>
    /// <exception cref="TrainingDivergedException">The loss or the gradients of a step, or the loss on the test examples, are not finite. The last checkpoint is from an earlier step.</exception>
    /// <exception cref="IOException">A file cannot be written; earlier files are unchanged.</exception>
    /// <exception cref="InvalidOperationException">
    /// This trainer, or another trainer of the network or the folder, is already running; or another trainer has continued the run since this trainer read its checkpoint.
    /// </exception>
    public bool Run(CancellationToken cancellation = default)
    {
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new InvalidOperationException($"{nameof(Trainer)}: {nameof(Run)} is already running; only one call at a time can train a network. Wait for it, or create a trainer with another network.");
        try
        {
            using var held = Finished ? null : folder?.Lock();
            CheckUnchanged();
            if (held is not null) folder!.CutTelemetry(State.Step);
            sinceCheckpoint.Restart();
            return RunEpochs(cancellation);
        }
        finally
        {
            TakeBackData();
            Volatile.Write(ref running, 0);
        }
    }

    bool RunEpochs(CancellationToken cancellation)
    {
        try
        {
            while (!Finished) RunEpoch(cancellation);
            return true;
        }
        catch (OperationCanceledException)
        {
            SaveCheckpoint();
            return false;
        }
    }

    // Between the reading of a checkpoint and the run, another process may have continued the training.
    void CheckUnchanged()
    {
        if (goesOnFrom is { } read && !Finished && LastWritten() != read)
            throw new InvalidOperationException($"{nameof(Trainer)}: {folder!.Last} was written by another trainer after this trainer had read it, so this trainer would undo the other's steps. Call {nameof(Resume)} again, then {nameof(Run)}.");
    }

    (DateTime, long)? LastWritten() => new FileInfo(folder!.Last) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : null;

    // The training examples come last, because a device that is short of memory drops the examples that it already has.
    (TrainingTask.IPlaced Train, TrainingTask.IPlaced Test) PlaceData()
    {
        if (!ReferenceEquals(trainPlaced?.Device, Network.Device)) TakeBackData();
        testPlaced ??= task.Test.To(Network.Device);
        trainPlaced ??= task.Train.To(Network.Device);
        return (trainPlaced, testPlaced);
    }

    void TakeBackData()
    {
        trainPlaced?.Dispose();
        testPlaced?.Dispose();
        (trainPlaced, testPlaced) = (null, null);
    }

    void RunEpoch(CancellationToken cancellation)
    {
        var pool = Network.Device.Pool;
        pool.ResetPeak();
        var watch = Stopwatch.StartNew();
        var (examples, judges) = PlaceData();
        var firstExample = State.Totals.Examples;
        Network.Train();

        // A recording ends with its epoch, so that the evaluation can use its memory, and so that changes that a listener makes between epochs (a dropout
        // rate, a frozen layer) have an effect. This costs two steps of each epoch that the host launches.
        using (var step = new TrainingStep(task, Optimizer, Options))
        {
            try
            {
                foreach (var batch in examples.Batches(Order with { Epoch = State.Epoch, Start = State.Batch }))
                {
                    cancellation.ThrowIfCancellationRequested();
                    RunStep(step, new OwnedBatch(batch));
                    if (!IsCheckpointDue()) continue;
                    FinishStep(step);
                    SaveCheckpoint();
                }
            }
            finally
            {
                FinishStep(step);
            }
        }

        var trainingTime = watch.Elapsed;
        var trained = State.Totals.Examples - firstExample;
        EstimateStatistics(examples, cancellation);
        var result = TaskEvaluation.Run(task, judges, Options.BatchSize, cancellation: cancellation);
        if (!double.IsFinite(result.Loss)) throw Diverged(judges, result, cancellation);
        EndEpoch(new(State.Epoch + 1, State.Step, LearningRateAt(State.Step - 1), State.Totals.Loss, result.Loss)
        {
            Train = State.Totals.ValuesOf(task.Metrics),
            Test = result.Metrics,
            Seconds = watch.Elapsed.TotalSeconds,
            ExamplesPerSecond = trained > 0 ? trained / trainingTime.TotalSeconds : null,
            PeakBytes = pool.Statistics.Peak,
        });
    }

    // If an epoch has few steps, the running statistics belong to earlier weights. So they are estimated again for the current weights before the network is evaluated and saved.
    // Training does not read them, so later steps keep their bits. After 100 steps a running mean of momentum 0.1 keeps only 3e-5 of its old value, so longer epochs need no estimate.
    void EstimateStatistics(TrainingTask.IPlaced examples, CancellationToken cancellation)
    {
        const int stepsThatForget = 100, batches = 20;      // a running mean of momentum 0.1 weighs about 20 batches
        if (StepsPerEpoch >= stepsThatForget) return;

        // Whole batches, in the order of the epoch, without random changes, because the test examples have none.
        var order = Order with { Epoch = State.Epoch, DropLast = task.Train.Count >= Options.BatchSize, Changed = false };
        BatchStatistics.Estimate(Network, examples.Batches(order).Take(batches), batch =>
        {
            using var owned = new OwnedBatch(batch);
            cancellation.ThrowIfCancellationRequested();
            foreach (var measure in task.JudgeAny(batch).Measures) measure.Dispose();
        });
    }

    // While the host reads the values of a step, a GPU already computes the next step. On the CPU the values are there at once.
    void RunStep(TrainingStep step, OwnedBatch batch)
    {
        using var telemetry = IsTelemetryDue() ? new QuadraticTelemetry(Network) : null;
        var launched = Launch(step, batch, telemetry is null ? GradientsReady : () =>
        {
            GradientsReady?.Invoke();
            folder!.Append(StepsLaunched + 1, telemetry.Read());
        });
        FinishStep(step);
        underWay = launched;
        if (ReferenceEquals(Network.Device, Device.Cpu)) FinishStep(step);
    }

    TrainingStep.Launched Launch(TrainingStep step, OwnedBatch batch, Action? gradientsReady)
    {
        try
        {
            return step.Launch(batch, LearningRateAt(StepsLaunched), gradientsReady);
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    // If there are fewer examples than a batch, dropping the last batch would leave none for training.
    EpochOrder Order => new(Options.BatchSize, Options.Seed, DropLast: Options.DropLast && task.Train.Count >= Options.BatchSize);

    int StepsLaunched => State.Step + (underWay is null ? 0 : 1);

    void FinishStep(TrainingStep step)
    {
        if (underWay is not { } last) return;
        underWay = null;
        Finish(step, last);
    }

    void Finish(TrainingStep step, TrainingStep.Launched last)
    {
        using var batch = last.Batch;
        var (loss, norm, measures) = (last.Loss, last.GradientNorm, last.ReadMeasures());
        if (!float.IsFinite(loss) || !float.IsFinite(norm)) throw Diverged(step, last);

        State = State with { Batch = State.Batch + 1, Step = State.Step + 1, Totals = State.Totals.With(batch.Count, loss, measures) };
        Stepped?.Invoke(new(State.Step, loss, new EpochTotals().With(batch.Count, loss, measures).ValuesOf(task.Metrics), batch.Count, last.LearningRate, norm));
    }

    float LearningRateAt(int step) => Options.LearningRate * schedule.At(step);

    // No update was made after this step, so the same step under the guard finds the same fault and its place.
    TrainingDivergedException Diverged(TrainingStep step, TrainingStep.Launched last)
    {
        Optimizer.ClearGrad();
        last.Random.Restore();
        NonFiniteException? fault = null;
        try
        {
            using var scope = new TensorScope();
            using var guard = new NonFiniteGuard();
            step.Differentiate(last.Batch.Value);
        }
        catch (NonFiniteException e)
        {
            fault = e;
        }

        return new(State.Step + 1, State.Epoch + 1, last.Loss, last.GradientNorm, fault, LastGood);
    }

    // Every loss in training was finite. The same test examples under the guard find the layer whose output is not finite.
    TrainingDivergedException Diverged(TrainingTask.IPlaced judges, TaskEvaluation result, CancellationToken cancellation)
    {
        NonFiniteException? fault = null;
        try
        {
            using var guard = new NonFiniteGuard();
            TaskEvaluation.Run(task, judges, Options.BatchSize, cancellation: cancellation);
        }
        catch (NonFiniteException e)
        {
            fault = e;
        }

        return new(State.Step, State.Epoch + 1, result.Loss, fault, LastGood, folder is null ? null : Best);
    }

    string? LastGood => folder is not null && File.Exists(folder.Last) ? folder.Last : null;

    void EndEpoch(EpochMetrics metrics)
    {
        var best = Best;
        State = State with { Epoch = State.Epoch + 1, Batch = 0, Totals = new(), History = [.. State.History, metrics] };
        try
        {
            EpochEnded?.Invoke(metrics);
        }
        finally
        {
            // The epoch has ended, whatever a listener throws. The checkpoint comes last: if the process is killed before it, the run repeats this epoch and writes the same files.
            folder?.Write(State.History, task.Metrics);
            if (folder is not null && Best != best) Checkpoint.SaveWeights(folder.Best, Network, folder.Network, task.Images);
            SaveCheckpoint();
        }
    }

    bool IsTelemetryDue() => folder is not null && (StepsLaunched + 1) % Options.TelemetrySteps == 0;

    bool IsCheckpointDue() => folder is not null
        && (StepsLaunched % Options.CheckpointSteps == 0 || sinceCheckpoint.Elapsed.TotalSeconds >= Options.CheckpointSeconds);

    void SaveCheckpoint()
    {
        if (folder is null) return;
        var random = Generator.Default;
        Checkpoint.Save(folder.Last, Network, Optimizer, State with { RandomSeed = random.Seed, RandomPosition = random.Position }, folder.Network, task.Images);
        goesOnFrom = LastWritten();
        sinceCheckpoint.Restart();
    }
}
