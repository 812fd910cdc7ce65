using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>A step as it happened.</summary>
/// <param name="Step">Counted from 1 over the whole run.</param>
/// <param name="Loss">Mean over the batch, before the update.</param>
/// <param name="Correct">Images whose class was found.</param>
/// <param name="Images">Images of the batch.</param>
/// <param name="LearningRate">Of its update.</param>
/// <param name="GradientNorm">Of all gradients together, before clipping.</param>
public readonly record struct StepMetrics(int Step, float Loss, int Correct, int Images, float LearningRate, float GradientNorm);

/// <summary>
/// Trains a network to tell classes apart: batches, loss, backward, update; an evaluation after each epoch; checkpoints that a run goes on
/// from with the same bits.
/// <code>
/// var trainer = new Trainer(network, train, test, new TrainerOptions { Epochs = 10 });
/// trainer.EpochEnded += epoch => Console.WriteLine($"{epoch.Epoch}: {epoch.TestAccuracy:0.00} %");
/// trainer.Run();
/// </code>
/// </summary>
/// <remarks>
/// The order of the images, dropout and everything else random follow from <see cref="TrainerOptions.Seed"/> and <see cref="Generator.Default"/>.
/// One thread at a time runs a trainer, and one trainer a network; a second one throws. Trainers of different networks may run at once, but share
/// the default generator, so that a network with dropout gets other bits then. Other threads must not call the network in the meantime.
/// </remarks>
public sealed class Trainer
{
    readonly LabelledImages train, test;
    readonly RunFolder? folder;
    readonly Schedule schedule;
    readonly Stopwatch sinceCheckpoint = new();
    DeviceDataset? trainPlaced, testPlaced;
    int running;
    TrainingStep.Launched? underWay;
    (DateTime Written, long Bytes)? goesOnFrom;

    /// <summary>A trainer at the first step of a run.</summary>
    /// <param name="network">[N, H, W, C] to logits [N, classes]; trained in place, on its device.</param>
    /// <param name="train">Images to learn from.</param>
    /// <param name="test">Images to judge by after each epoch.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Where metrics, curves and checkpoints go; null for nowhere.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a data set is empty.</exception>
    public Trainer(Module network, LabelledImages train, LabelledImages test, TrainerOptions options, RunFolder? folder = null)
    {
        options.Validate();
        Check.That(train.Count > 0, nameof(Trainer), $"{train.Name} has no images to learn from.");
        Check.That(test.Count > 0, nameof(Trainer), $"{test.Name} has no images to judge by.");
        (Network, this.train, this.test, Options, this.folder) = (network, train, test, options, folder);
        StepsPerEpoch = train.Batches(options.BatchSize, options.Seed, dropLast: DropsLast).Count;
        schedule = options.CreateSchedule(StepsPerEpoch);
        Optimizer = options.CreateOptimizer(network.ParameterGroups());
    }

    /// <summary>The network in training.</summary>
    public Module Network { get; }

    /// <summary>How it is trained.</summary>
    public TrainerOptions Options { get; }

    /// <summary>Its optimizer.</summary>
    public Optimizer Optimizer { get; }

    /// <summary>Where the run is.</summary>
    public TrainingState State { get; private set; } = new();

    /// <summary>Steps of an epoch; the last may have fewer images, see <see cref="TrainerOptions.DropLast"/>.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>All epochs are done.</summary>
    public bool Finished => State.Epoch >= Options.Epochs;

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
    /// <exception cref="TrainingDivergedException">Loss or gradients, or the loss on the test images, are not finite; the last checkpoint is of before.</exception>
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

    // The training images last: short of memory, a device gives up those that it has.
    (DeviceDataset Train, DeviceDataset Test) PlaceData()
    {
        if (!ReferenceEquals(trainPlaced?.Device, Network.Device)) TakeBackData();
        testPlaced ??= test.To(Network.Device);
        trainPlaced ??= train.To(Network.Device);
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
        var (images, judges) = PlaceData();
        var firstImage = State.Images;
        Network.Train();

        // A recording ends with its epoch: so evaluation finds the memory that it writes to, and what a listener changes between epochs (a rate of
        // dropout, a frozen layer) is seen. That costs two steps of each epoch that are launched by the host.
        using (var step = new TrainingStep(Network, Optimizer, Options))
        {
            try
            {
                foreach (var batch in images.Batches(Options.BatchSize, Options.Seed, State.Epoch, Options.Augmentation, DropsLast, State.Batch))
                {
                    cancellation.ThrowIfCancellationRequested();
                    RunStep(step, batch);
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
        var trainedImages = State.Images - firstImage;
        EstimateStatistics(images, cancellation);
        var result = Evaluation.Run(Network, judges, Options.BatchSize, cancellation: cancellation);
        if (!double.IsFinite(result.Loss)) throw Diverged(judges, result, cancellation);
        EndEpoch(new(State.Epoch + 1, State.Step, LearningRateAt(State.Step - 1), State.Loss, State.Accuracy, result.Loss, result.Accuracy)
        {
            Seconds = watch.Elapsed.TotalSeconds,
            ImagesPerSecond = trainedImages > 0 ? trainedImages / trainingTime.TotalSeconds : null,
            PeakBytes = pool.Statistics.Peak,
        });
    }

    // Where an epoch has few steps, running statistics are those of earlier weights. A network is judged, and saved, with statistics of its own weights.
    // Training does not read them, so later steps keep their bits. A running mean of momentum 0.1 keeps 3e-5 of what it was 100 steps ago: it stays.
    void EstimateStatistics(DeviceDataset images, CancellationToken cancellation)
    {
        const int stepsThatForget = 100, batches = 20;      // 20: as many as such a running mean weighs
        if (StepsPerEpoch >= stepsThatForget) return;
        BatchStatistics.Estimate(Network, Inputs());

        // Whole batches, in the order of the epoch, and not augmented, since the test images are not.
        IEnumerable<Tensor> Inputs()
        {
            foreach (var batch in images.Batches(Options.BatchSize, Options.Seed, State.Epoch, dropLast: train.Count >= Options.BatchSize).Take(batches))
            {
                using var owned = batch;
                cancellation.ThrowIfCancellationRequested();
                yield return batch.Images;
            }
        }
    }

    // A GPU is already at the next step when the values of one are read; on the CPU they are there at once.
    void RunStep(TrainingStep step, Batch batch)
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

    TrainingStep.Launched Launch(TrainingStep step, Batch batch, Action? gradientsReady)
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

    // Where there are fewer images than a batch, dropping it would leave nothing to learn from.
    bool DropsLast => Options.DropLast && train.Count >= Options.BatchSize;

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
        var (loss, norm, correct, images) = (last.Loss, last.GradientNorm, last.Correct, batch.Labels.Length);
        if (!float.IsFinite(loss) || !float.IsFinite(norm)) throw Diverged(step, last);

        State = State with
        {
            Batch = State.Batch + 1,
            Step = State.Step + 1,
            Images = State.Images + images,
            Correct = State.Correct + correct,
            LossSum = State.LossSum + (double)loss * images,
        };
        Stepped?.Invoke(new(State.Step, loss, correct, images, last.LearningRate, norm));
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
            step.Differentiate(last.Batch.Images, last.Batch.Labels);
        }
        catch (NonFiniteException e)
        {
            fault = e;
        }

        return new(State.Step + 1, State.Epoch + 1, last.Loss, last.GradientNorm, fault, LastGood);
    }

    // Every loss in training was finite. The same images under the guard find the layer that gives none.
    TrainingDivergedException Diverged(DeviceDataset judges, Evaluation result, CancellationToken cancellation)
    {
        NonFiniteException? fault = null;
        try
        {
            using var guard = new NonFiniteGuard();
            Evaluation.Run(Network, judges, Options.BatchSize, cancellation: cancellation);
        }
        catch (NonFiniteException e)
        {
            fault = e;
        }

        return new(State.Step, State.Epoch + 1, result.Loss, fault, LastGood, folder is null ? null : State.Best);
    }

    string? LastGood => folder is not null && File.Exists(folder.Last) ? folder.Last : null;

    void EndEpoch(EpochMetrics metrics)
    {
        var best = State.Best;
        State = State with { Epoch = State.Epoch + 1, Batch = 0, Images = 0, Correct = 0, LossSum = 0, History = [.. State.History, metrics] };
        try
        {
            EpochEnded?.Invoke(metrics);
        }
        finally
        {
            // The epoch has ended, whatever a listener throws. The checkpoint comes last: killed before it, the run does this epoch again and writes the same.
            folder?.Write(State.History);
            if (folder is not null && State.Best != best) Checkpoint.SaveWeights(folder.Best, Network, folder.Configuration.Network, Images);
            SaveCheckpoint();
        }
    }

    bool IsTelemetryDue() => folder is not null && (StepsLaunched + 1) % Options.TelemetrySteps == 0;

    bool IsCheckpointDue() => folder is not null
        && (StepsLaunched % Options.CheckpointSteps == 0 || sinceCheckpoint.Elapsed.TotalSeconds >= Options.CheckpointSeconds);

    ImageDescription Images => new(train.ClassNames, train.Normalization.Mean, train.Normalization.Std);

    void SaveCheckpoint()
    {
        if (folder is null) return;
        var random = Generator.Default;
        Checkpoint.Save(folder.Last, Network, Optimizer, State with { RandomSeed = random.Seed, RandomPosition = random.Position }, folder.Configuration.Network, Images);
        goesOnFrom = LastWritten();
        sinceCheckpoint.Restart();
    }
}
