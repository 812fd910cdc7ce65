using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// Forward, loss, backward and update of one batch. Nothing in it waits for the device, so a GPU never stops between steps: the class
/// records the step once and replays it (<see cref="RecordedStep"/>), and the host reads the values of a step while the next step runs.
/// </summary>
/// <remarks>
/// If the loss or the gradients of a step are not finite, neither this step nor any later step makes an update. The device itself decides this, long before the
/// host knows. So the parameters are those from before the step, and the step can run again to find the fault.
/// </remarks>
sealed class TrainingStep(TrainingTask task, Optimizer optimizer, TrainerOptions options) : IDisposable
{
    readonly ModuleBase network = task.Network;
    OwnedBatch? replayedBatch;
    Tensor? intact;
    RecordedStep? recorded;
    Results? replayed;

    /// <summary>Starts the step. The caller disposes the batch.</summary>
    /// <param name="batch">The batch, on the network's device.</param>
    /// <param name="learningRate">The learning rate of the update.</param>
    /// <param name="gradientsReady">Called between backward and update; null for none. With it, the step goes through the host code.</param>
    public Launched Launch(OwnedBatch batch, float learningRate, Action? gradientsReady)
    {
        optimizer.LearningRate = learningRate;
        var random = new RandomPositions(network);
        if (gradientsReady is not null || !MayRecord(batch))
        {
            using var results = RunOrUndo(batch, gradientsReady, random);
            return new(batch, learningRate, random, results);
        }

        replayedBatch!.Assign(batch);
        recorded!.Run();
        return new(batch, learningRate, random, replayed!);
    }

    // A step that throws before its update was not taken. Everything that it has changed is restored, so that the same step may be tried again.
    Results RunOrUndo(OwnedBatch batch, Action? gradientsReady, RandomPositions random)
    {
        var buffers = network.NamedBuffers().Select(own => (own.Buffer, Before: own.Buffer.Clone().Keep())).ToArray();
        try
        {
            return Run(batch.Value, gradientsReady);
        }
        catch
        {
            optimizer.ClearGrad();
            random.Restore();
            foreach (var (buffer, before) in buffers) buffer.Assign(before);
            throw;
        }
        finally
        {
            foreach (var (_, before) in buffers) before.Dispose();
        }
    }

    /// <summary>Runs only forward and backward.</summary>
    public Judgement Differentiate(object batch)
    {
        var judgement = task.JudgeAny(batch);
        judgement.Loss.Backward();
        return judgement;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        recorded?.Dispose();
        replayed?.Dispose();
        replayedBatch?.Dispose();
        intact?.Dispose();
    }

    // A step on the CPU gains nothing by a recording, and the last batch of an epoch may be smaller.
    bool MayRecord(OwnedBatch batch)
    {
        if (ReferenceEquals(batch.Device, Device.Cpu) || batch.Count != options.BatchSize) return false;
        if (recorded is not null) return replayedBatch!.Fits(batch);
        var own = batch.Empty();
        replayedBatch = own;
        recorded = new RecordedStep(batch.Device, () =>
        {
            replayed?.Dispose();
            replayed = Run(own.Value, null);
        });
        return true;
    }

    Results Run(object batch, Action? gradientsReady)
    {
        using var scope = new TensorScope();
        var (loss, measures) = Differentiate(batch);
        gradientsReady?.Invoke();

        using var noGrad = new NoGrad();
        var norm = GradientClipping.DeviceNorm(network.Parameters());
        intact ??= Tensor.Ones([], loss.Device).Keep();
        var sum = loss + norm;
        intact.Assign(intact * (sum - sum).Equal(Tensor.Scalar(0f, loss.Device)));      // NaN - NaN and infinity - infinity are NaN
        optimizer.GradientScale = options.ClipNorm is { } limit ? intact * GradientClipping.FactorOf(norm, limit) : intact;
        optimizer.Step();
        optimizer.GradientScale = null;
        return new(loss.Detach().Keep(), norm.Keep(), measures);
    }

    /// <summary>The positions of the generators that a network draws from: the default generator, and those of its modules.</summary>
    public sealed class RandomPositions(ModuleBase network)
    {
        readonly (Generator Generator, ulong Position)[] positions =
            [.. network.NamedGenerators().Select(own => own.Generator).Append(Generator.Default).Distinct().Select(generator => (generator, generator.Position))];

        public void Restore()
        {
            foreach (var (generator, position) in positions) generator.Position = position;
        }
    }

    /// <summary>The results of a step on the device.</summary>
    public sealed record Results(Tensor Loss, Tensor GradientNorm, IReadOnlyList<Measure> Measures) : IDisposable
    {
        public void Dispose()
        {
            Loss.Dispose();
            GradientNorm.Dispose();
            foreach (var measure in Measures) measure.Dispose();
        }
    }

    /// <summary>A step that was launched. Its values wait until the device has computed them.</summary>
    public sealed class Launched(OwnedBatch batch, float learningRate, RandomPositions random, Results results)
    {
        readonly Func<float[]> loss = results.Loss.BeginToArray(), norm = results.GradientNorm.BeginToArray();
        readonly Func<BatchSums>[] measures = [.. results.Measures.Select(measure => measure.Begin())];

        public OwnedBatch Batch => batch;

        public float LearningRate => learningRate;

        /// <summary>The positions of all generators before the step.</summary>
        public RandomPositions Random => random;

        public float Loss => loss()[0];

        /// <summary>The norm of all gradients, before they are clipped.</summary>
        public float GradientNorm => norm()[0];

        /// <summary>The sums of the task's metrics, in their order.</summary>
        public IReadOnlyList<BatchSums> ReadMeasures() => [.. measures.Select(read => read())];
    }
}
