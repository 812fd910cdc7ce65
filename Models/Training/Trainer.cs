using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A step as it happened.</summary>
/// <param name="Step">Counted from 1 over the whole run.</param>
/// <param name="Loss">Mean over the batch, before the update.</param>
/// <param name="Metrics">The task's metrics of the batch, before the update.</param>
/// <param name="Examples">Examples of the batch.</param>
/// <param name="LearningRate">Of its update.</param>
/// <param name="GradientNorm">Of all gradients together, before clipping.</param>
public readonly record struct StepMetrics(int Step, float Loss, MetricValues Metrics, int Examples, float LearningRate, float GradientNorm);

/// <summary>
/// Trains a network for a task: batches, loss, backward, update; an evaluation after each epoch; checkpoints that a run goes on from with the same bits.
/// <code>
/// var trainer = new Trainer(new Regression(network, train, test), new TrainerOptions { Epochs = 10 });
/// trainer.EpochEnded += epoch => Console.WriteLine($"{epoch.Epoch}: {epoch.TestLoss:0.000} {epoch.Test}");
/// trainer.Run();
/// </code>
/// </summary>
/// <remarks>
/// The order of the examples, dropout and everything else random follow from <see cref="TrainerOptions.Seed"/> and <see cref="Generator.Default"/>.
/// One thread at a time runs a trainer, and one trainer a network; a second one throws. Trainers of different networks may run at once, but share
/// the default generator, so that a network with dropout gets other bits then. Other threads must not call the network in the meantime.
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

    /// <summary>A trainer at the first step of a run.</summary>
    /// <param name="task">The network, which is trained in place on its device; examples, loss and metrics.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Where metrics, curves and checkpoints go; null for nowhere.</param>
    /// <exception cref="ArgumentException">An option is out of range, or is no option of this task.</exception>
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

    /// <summary>A trainer of a network that tells the images of a data set apart: a <see cref="Classification"/> with the augmentation and the smoothed labels of the options.</summary>
    /// <param name="network">[N, H, W, C] to logits [N, classes]; trained in place, on its device.</param>
    /// <param name="train">Images to learn from.</param>
    /// <param name="test">Images to judge by after each epoch.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Where metrics, curves and checkpoints go; null for nowhere.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a data set is empty.</exception>
    public Trainer(Module network, LabeledImages train, LabeledImages test, TrainerOptions options, RunFolder? folder = null)
        : this(new Classification(network, train.Augmented(options.CreateAugmentation(train.ImageShape)), test) { LabelSmoothing = options.LabelSmoothing }, options, folder, ofImages: true)
    {
    }

    /// <summary>The network in training.</summary>
    public ModuleBase Network => task.Network;

    /// <summary>How it is trained.</summary>
    public TrainerOptions Options { get; }

    /// <summary>Its optimizer.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Where the run is.</summary>
    public TrainingState State { get; private set; } = new();

    /// <summary>Steps of an epoch; the last may have fewer examples, see <see cref="TrainerOptions.DropLast"/>.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>All epochs are done, or <see cref="TrainerOptions.Patience"/> is over.</summary>
    public bool Finished => State.Epoch >= Options.Epochs || Options.Patience is { } patience && Best is { } best && State.Epoch - best.Epoch >= patience;

    /// <summary>The best epoch by <see cref="TrainerOptions.BestBy"/>, of several the one of the lowest test loss, then the first; null before the first ends.</summary>
    public EpochMetrics? Best => EpochRanking.BestOf(State.History, task.Metrics.FirstOrDefault(metric => metric.Name == BestBy));

    /// <summary>The name of what the best epoch is the best by.</summary>
    public string BestBy => Options.BestBy ?? task.Metrics.FirstOrDefault()?.Name ?? TrainingTask.LossName;

    /// <summary>Raised in each step when the gradients are there, before they are clipped and used. While somebody listens, steps are not replayed.</summary>
    public event Action? GradientsReady;

    /// <summary>Raised for each update when its values are there: on a GPU, that is already at the next step by then, one step late.</summary>
    public event Action<StepMetrics>? Stepped;

    /// <summary>Raised after each epoch's evaluation, before its checkpoint is written.</summary>
    public event Action<EpochMetrics>? EpochEnded;

    /// <summary>Goes on from the folder's last checkpoint; from the first step where there is none yet.</summary>
    /// <exception cref="InvalidFileException">The checkpoint is damaged, or of another network or optimizer.</exception>
    public void Resume()
    {
        if (folder is null || !File.Exists(folder.Last)) return;
        goesOnFrom = LastWritten();
        State = Checkpoint.Restore(folder.Last, Network, Optimizer);
        State = State with { History = folder.WithTimings(State.History) };
    }

    /// <summary>Trains to the last epoch. Meanwhile no other trainer, of this process or another, can write to the folder.</summary>
    /// <param name="cancellation">Stops after the step under way and leaves a checkpoint.</param>
    /// <returns>True where all epochs are done, false where the run was interrupted.</returns>
    /// <exception cref="TrainingDivergedException">Loss or gradients, or the loss on the test examples, are not finite; the last checkpoint is of before.</exception>
    /// <exception cref="IOException">A file cannot be written; the files of before are untouched.</exception>
    /// <exception cref="InvalidOperationException">
    /// The trainer, or another that trains the network or writes to the folder, runs already; or the run has gone on elsewhere since this trainer read its checkpoint.
    /// </exception>
    public bool Run(CancellationToken cancellation = default)
    {
        if (Interlocked.Exchange(ref running, 1) != 0)
            throw new InvalidOperationException($"{nameof(Trainer)}: {nameof(Run)} is under way already; one call at a time trains a network. Wait for it, or make a trainer with a network of its own.");
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

    // Between reading a checkpoint and running, another process may have trained on.
    void CheckUnchanged()
    {
        if (goesOnFrom is { } read && !Finished && LastWritten() != read)
            throw new InvalidOperationException($"{nameof(Trainer)}: {folder!.Last} was written by another trainer after this one had read it, so this one would undo its steps. Call {nameof(Resume)} again, then {nameof(Run)}.");
    }

    (DateTime, long)? LastWritten() => new FileInfo(folder!.Last) is { Exists: true } file ? (file.LastWriteTimeUtc, file.Length) : null;

    // The examples to learn from last: short of memory, a device gives up those that it has.
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

        // A recording ends with its epoch: so evaluation finds the memory that it writes to, and what a listener changes between epochs (a rate of
        // dropout, a frozen layer) is seen. That costs two steps of each epoch that are launched by the host.
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

    // Where an epoch has few steps, running statistics are those of earlier weights. A network is judged, and saved, with statistics of its own weights.
    // Training does not read them, so later steps keep their bits. A running mean of momentum 0.1 keeps 3e-5 of what it was 100 steps ago: it stays.
    void EstimateStatistics(TrainingTask.IPlaced examples, CancellationToken cancellation)
    {
        const int stepsThatForget = 100, batches = 20;      // 20: as many as such a running mean weighs
        if (StepsPerEpoch >= stepsThatForget) return;

        // Whole batches, in the order of the epoch, and not changed at random, since the test examples are not.
        var order = Order with { Epoch = State.Epoch, DropLast = task.Train.Count >= Options.BatchSize, Changed = false };
        BatchStatistics.Estimate(Network, examples.Batches(order).Take(batches), batch =>
        {
            using var owned = new OwnedBatch(batch);
            cancellation.ThrowIfCancellationRequested();
            foreach (var measure in task.JudgeAny(batch).Measures) measure.Dispose();
        });
    }

    // A GPU is already at the next step when the values of one are read; on the CPU they are there at once.
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

    // Where there are fewer examples than a batch, dropping it would leave nothing to learn from.
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

    // No update was made since: the same step under the guard finds the same fault, and says where.
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

    // Every loss in training was finite. The same examples under the guard find the layer that gives none.
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
            // The epoch has ended, whatever a listener throws. The checkpoint comes last: killed before it, the run does this epoch again and writes the same.
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
