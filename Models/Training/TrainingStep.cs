using QuadEngine.Data;
using QuadEngine.Layers;

namespace QuadEngine.Models;

/// <summary>
/// Forward, loss, backward and update of one batch. Nothing in it waits for the device, so that a GPU never stands still between steps: it
/// records the step once and replays it (<see cref="RecordedStep"/>), and values are read when the next step is under way.
/// </summary>
/// <remarks>
/// A step whose loss or gradients are not finite makes no update, nor does any after it: the device itself decides that, long before the
/// host knows. The parameters then are those of before the step, and it can be run again to find the fault.
/// </remarks>
sealed class TrainingStep(Module network, Optimizer optimizer, TrainerOptions options) : IDisposable
{
    Tensor? images, intact;
    IntTensor? labels;
    RecordedStep? recorded;
    Results? replayed;

    /// <summary>Starts the step; the batch stays the caller's.</summary>
    /// <param name="batch">On the network's device.</param>
    /// <param name="learningRate">Of the update.</param>
    /// <param name="gradientsReady">Called between backward and update; a step with one goes through the host code.</param>
    public Launched Launch(Batch batch, float learningRate, Action? gradientsReady)
    {
        optimizer.LearningRate = learningRate;
        var random = new RandomPositions(network);
        if (gradientsReady is not null || !MayRecord(batch))
        {
            using var results = RunOrUndo(batch, gradientsReady, random);
            return new(batch, learningRate, random, results);
        }

        images!.Assign(batch.Images);
        labels!.Assign(batch.Labels);
        recorded!.Run();
        return new(batch, learningRate, random, replayed!);
    }

    // A step that ends in an exception before its update was not taken: what it has changed already is put back, so that the same step may be tried again.
    Results RunOrUndo(Batch batch, Action? gradientsReady, RandomPositions random)
    {
        var buffers = network.NamedBuffers().Select(own => (own.Buffer, Before: own.Buffer.Clone().Keep())).ToArray();
        try
        {
            return Run(batch.Images, batch.Labels, gradientsReady);
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

    /// <summary>Forward and backward alone.</summary>
    public (Tensor Loss, IntTensor Found) Differentiate(Tensor images, IntTensor labels)
    {
        var logits = network.Forward(images);
        var loss = Losses.CrossEntropy(logits, labels, options.LabelSmoothing);
        loss.Backward();
        return (loss, logits.ArgMax());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        recorded?.Dispose();
        replayed?.Dispose();
        images?.Dispose();
        labels?.Dispose();
        intact?.Dispose();
    }

    // The CPU gains nothing by it, and the last batch of an epoch may be smaller.
    bool MayRecord(Batch batch)
    {
        var device = batch.Images.Device;
        if (ReferenceEquals(device, Device.Cpu) || batch.Labels.Length != options.BatchSize) return false;
        if (recorded is not null) return images!.Shape == batch.Images.Shape && images.Device == device;
        images = Tensor.Empty(batch.Images.Shape, device).Keep();
        labels = IntTensor.Empty(batch.Labels.Shape, device);
        recorded = new RecordedStep(device, () =>
        {
            replayed?.Dispose();
            replayed = Run(images, labels, null);
        });
        return true;
    }

    Results Run(Tensor images, IntTensor labels, Action? gradientsReady)
    {
        using var scope = new TensorScope();
        var (loss, found) = Differentiate(images, labels);
        gradientsReady?.Invoke();

        using var noGrad = new NoGrad();
        var norm = GradientClipping.DeviceNorm(network.Parameters());
        intact ??= Tensor.Ones([], loss.Device).Keep();
        var sum = loss + norm;
        intact.Assign(intact * (sum - sum).Equal(Tensor.Scalar(0f, loss.Device)));      // NaN - NaN and infinity - infinity are NaN
        optimizer.GradientScale = options.ClipNorm is { } limit ? intact * GradientClipping.FactorOf(norm, limit) : intact;
        optimizer.Step();
        optimizer.GradientScale = null;
        return new(loss.Detach().Keep(), norm.Keep(), found);
    }

    /// <summary>Where the generators that a network draws from are: the default one, and those of its modules.</summary>
    public sealed class RandomPositions(Module network)
    {
        readonly (Generator Generator, ulong Position)[] positions =
            [.. network.NamedGenerators().Select(own => own.Generator).Append(Generator.Default).Distinct().Select(generator => (generator, generator.Position))];

        public void Restore()
        {
            foreach (var (generator, position) in positions) generator.Position = position;
        }
    }

    /// <summary>What a step leaves on the device.</summary>
    public sealed record Results(Tensor Loss, Tensor GradientNorm, IntTensor Found) : IDisposable
    {
        public void Dispose()
        {
            Loss.Dispose();
            GradientNorm.Dispose();
            Found.Dispose();
        }
    }

    /// <summary>A step under way, and its values as soon as they are there.</summary>
    public sealed class Launched(Batch batch, float learningRate, RandomPositions random, Results results)
    {
        readonly Func<float[]> loss = results.Loss.BeginToArray(), norm = results.GradientNorm.BeginToArray();
        readonly Func<int[]> found = results.Found.BeginToArray(), labels = batch.Labels.BeginToArray();

        public Batch Batch => batch;

        public float LearningRate => learningRate;

        /// <summary>Of all generators before the step.</summary>
        public RandomPositions Random => random;

        public float Loss => loss()[0];

        /// <summary>Of all gradients, before they are clipped.</summary>
        public float GradientNorm => norm()[0];

        public int Correct => found().Zip(labels()).Count(pair => pair.First == pair.Second);
    }
}
