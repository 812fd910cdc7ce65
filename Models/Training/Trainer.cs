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
/// <remarks>The order of the images, dropout and everything else random follow from <see cref="TrainerOptions.Seed"/> and <see cref="Generator.Default"/>.</remarks>
public sealed class Trainer
{
    readonly ImageDataset train, test;
    readonly RunFolder? folder;
    readonly Schedule schedule;
    readonly Stopwatch sinceCheckpoint = new();

    /// <summary>A trainer at the first step of a run.</summary>
    /// <param name="network">[N, H, W, C] to logits [N, classes]; trained in place, on its device.</param>
    /// <param name="train">Images to learn from.</param>
    /// <param name="test">Images to judge by after each epoch.</param>
    /// <param name="options">How.</param>
    /// <param name="folder">Where metrics, curves and checkpoints go; null for nowhere.</param>
    /// <exception cref="ArgumentException">An option is out of range, or a data set is empty.</exception>
    public Trainer(Module network, ImageDataset train, ImageDataset test, TrainerOptions options, RunFolder? folder = null)
    {
        options.Validate();
        Check.That(train.Count > 0, nameof(Trainer), $"{train.Name} has no images to learn from.");
        Check.That(test.Count > 0, nameof(Trainer), $"{test.Name} has no images to judge by.");
        (Network, this.train, this.test, Options, this.folder) = (network, train, test, options, folder);
        StepsPerEpoch = (train.Count - 1) / options.BatchSize + 1;
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

    /// <summary>Steps of an epoch; the last may have fewer images.</summary>
    public int StepsPerEpoch { get; }

    /// <summary>All epochs are done.</summary>
    public bool Finished => State.Epoch >= Options.Epochs;

    /// <summary>Raised in each step when the gradients are there, before they are clipped and used.</summary>
    public event Action? GradientsReady;

    /// <summary>Raised after each update.</summary>
    public event Action<StepMetrics>? Stepped;

    /// <summary>Raised after each epoch's evaluation, before its checkpoint is written.</summary>
    public event Action<EpochMetrics>? EpochEnded;

    /// <summary>Goes on from the folder's last checkpoint; from the first step where there is none yet.</summary>
    /// <exception cref="InvalidFileException">The checkpoint is damaged, or of another network or optimizer.</exception>
    public void Resume()
    {
        if (folder is null || !File.Exists(folder.Last)) return;
        State = Checkpoint.Restore(folder.Last, Network, Optimizer);
        State = State with { History = folder.WithTimings(State.History) };
        folder.CutTelemetry(State.Step);
    }

    /// <summary>Trains to the last epoch.</summary>
    /// <param name="cancellation">Stops after the step under way and leaves a checkpoint.</param>
    /// <returns>True where all epochs are done, false where the run was interrupted.</returns>
    /// <exception cref="TrainingDivergedException">Loss or gradients are not finite; the last checkpoint is of before.</exception>
    /// <exception cref="IOException">A file cannot be written; the files of before are untouched.</exception>
    public bool Run(CancellationToken cancellation = default)
    {
        sinceCheckpoint.Restart();
        while (!Finished)
        {
            try
            {
                RunEpoch(cancellation);
            }
            catch (OperationCanceledException)
            {
                SaveCheckpoint();
                return false;
            }
        }

        return true;
    }

    void RunEpoch(CancellationToken cancellation)
    {
        var pool = Network.Device.Pool;
        pool.ResetPeak();
        var watch = Stopwatch.StartNew();
        var firstImage = State.Images;
        Network.Train();
        foreach (var batch in train.Batches(Options.BatchSize, Options.Seed, State.Epoch, Options.Augmentation, start: State.Batch, device: Network.Device))
        {
            using var owned = batch;
            cancellation.ThrowIfCancellationRequested();
            RunStep(batch);
            if (IsCheckpointDue()) SaveCheckpoint();
        }

        var trainingTime = watch.Elapsed;
        var trainedImages = State.Images - firstImage;
        var result = Evaluation.Run(Network, test, Options.BatchSize, cancellation: cancellation);
        EndEpoch(new(State.Epoch + 1, State.Step, LearningRateAt(State.Step - 1), State.Loss, State.Accuracy, result.Loss, result.Accuracy)
        {
            Seconds = watch.Elapsed.TotalSeconds,
            ImagesPerSecond = trainedImages > 0 ? trainedImages / trainingTime.TotalSeconds : null,
            PeakBytes = pool.Statistics.Peak,
        });
    }

    void RunStep(Batch batch)
    {
        using var scope = new TensorScope();
        var randomPosition = Generator.Default.Position;
        using var telemetry = IsTelemetryDue() ? new QuadraticTelemetry(Network) : null;
        var (loss, correct) = Differentiate(batch);
        if (telemetry is not null) folder!.Append(State.Step + 1, telemetry.Read());
        GradientsReady?.Invoke();
        var norm = Options.ClipNorm is { } limit ? GradientClipping.ByNorm(Network.Parameters(), limit) : GradientClipping.Norm(Network.Parameters());
        if (!float.IsFinite(loss) || !float.IsFinite(norm)) throw Diverged(batch, randomPosition, loss, norm);

        Optimizer.LearningRate = LearningRateAt(State.Step);
        Optimizer.Step();
        Network.Retract();
        State = State with
        {
            Batch = State.Batch + 1,
            Step = State.Step + 1,
            Images = State.Images + batch.Labels.Length,
            Correct = State.Correct + correct,
            LossSum = State.LossSum + (double)loss * batch.Labels.Length,
        };
        Stepped?.Invoke(new(State.Step, loss, correct, batch.Labels.Length, Optimizer.LearningRate, norm));
    }

    float LearningRateAt(int step) => Options.LearningRate * schedule.At(step);

    (float Loss, int Correct) Differentiate(Batch batch)
    {
        var logits = Network.Forward(batch.Images);
        var loss = Losses.CrossEntropy(logits, batch.Labels, Options.LabelSmoothing);
        if (Network.Penalty() is { } penalty) loss += penalty;
        loss.Backward();
        return (loss.Item(), Evaluation.CountCorrect(logits, batch.Labels));
    }

    // The parameters are still those of before the step: the same step under the guard finds the same fault, and says where.
    TrainingDivergedException Diverged(Batch batch, ulong randomPosition, float loss, float norm)
    {
        Optimizer.ClearGrad();
        Generator.Default.Position = randomPosition;
        NonFiniteException? fault = null;
        try
        {
            using var guard = new NonFiniteGuard();
            Differentiate(batch);
        }
        catch (NonFiniteException e)
        {
            fault = e;
        }

        return new(State.Step + 1, State.Epoch + 1, loss, norm, fault, folder is not null && File.Exists(folder.Last) ? folder.Last : null);
    }

    void EndEpoch(EpochMetrics metrics)
    {
        var best = State.Best;
        State = State with { Epoch = State.Epoch + 1, Batch = 0, Images = 0, Correct = 0, LossSum = 0, History = [.. State.History, metrics] };
        EpochEnded?.Invoke(metrics);
        if (folder is null) return;

        // The checkpoint comes last: killed before it, the run does this epoch again and writes the same.
        folder.Write(State.History);
        if (State.Best != best) Checkpoint.SaveWeights(folder.Best, Network, folder.Configuration.Network);
        SaveCheckpoint();
    }

    bool IsTelemetryDue() => folder is not null && (State.Step + 1) % Options.TelemetrySteps == 0;

    bool IsCheckpointDue() => folder is not null
        && (State.Step % Options.CheckpointSteps == 0 || sinceCheckpoint.Elapsed.TotalSeconds >= Options.CheckpointSeconds);

    void SaveCheckpoint()
    {
        if (folder is null) return;
        var random = Generator.Default;
        Checkpoint.Save(folder.Last, Network, Optimizer, State with { RandomSeed = random.Seed, RandomPosition = random.Position }, folder.Configuration.Network);
        sinceCheckpoint.Restart();
    }
}
