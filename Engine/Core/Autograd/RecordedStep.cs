using QuadEngine.Devices;

namespace QuadEngine;

/// <summary>
/// A training step that runs many times on inputs of one shape. If the device can record (GPUs), the first run goes through the
/// host code, the second run is recorded, and all later runs replay its kernels; on CUDA as one graph, in one launch. The bits are the same.
/// <code>
/// using Tensor images = Tensor.Empty([128, 32, 32, 3], device), ...;
/// using var step = new RecordedStep(device, () =>
/// {
///     loss = Losses.CrossEntropy(net.Forward(images), labels);
///     loss.Backward();
///     sgd.Step();
/// });
/// foreach (var batch in batches) { images.Assign(batch.Images); labels.Assign(batch.Labels); step.Run(); }
/// </code>
/// </summary>
/// <param name="device">Where the step runs; on the CPU each run goes through the host code.</param>
/// <param name="step">Forward, Backward and the optimizer's step.</param>
/// <remarks>
/// A replay runs kernels, not the C# code of the step. Values that change from step to step must be in memory that the step reads
/// (<see cref="Tensor.Assign(Tensor)"/> before the run). Learning rates, the optimizers' step counts and random numbers advance as without a replay.
/// Tensors that the step assigns to outside variables keep their memory and hold the values of the last run. A step that reads a value,
/// uploads a value or accumulates gradients is not replayed (<see cref="Refusal"/> says why); it runs through the host code each time.
/// </remarks>
public sealed class RecordedStep(Device device, Action step) : IDisposable
{
    Recording? recording;
    Claim claim;
    bool warm;

    /// <summary>Releases the recording at the device's next request.</summary>
    ~RecordedStep()
    {
        if (recording is { } dead) device.Pool.ReleaseLater(dead.Dispose);
    }

    /// <summary>Whether runs are now replays.</summary>
    public bool IsRecorded => recording is not null;

    /// <summary>The reason why the step is not replayed although the device can record; null if it is replayed, or will be.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Runs the step, or replays it.</summary>
    /// <exception cref="InvalidOperationException">Another thread is running it.</exception>
    public void Run()
    {
        var taken = claim.Take($"{nameof(RecordedStep)}.{nameof(Run)}", "with this step");
        try
        {
            RunClaimed();
        }
        finally
        {
            if (taken) claim.Leave();
        }
    }

    void RunClaimed()
    {
        if (recording is { IsUpToDate: false }) Forget();

        // Inside another step that is being recorded, this step is a part of it. The first run makes what later runs need: the optimizer's
        // state, compiled kernels.
        if (Recording.Current is not null) step();
        else if (recording is { } recorded) recorded.Replay();
        else if (warm && Refusal is null && device.Record() is { } fresh) Record(fresh);
        else step();
        warm = true;
    }

    /// <summary>Returns the memory of the recording; the next run goes through the host code.</summary>
    public void Dispose()
    {
        Forget();
        GC.SuppressFinalize(this);
    }

    void Record(Recording fresh)
    {
        fresh.Begin();
        try
        {
            step();
        }
        catch
        {
            fresh.Refuse("it failed");
            throw;
        }
        finally
        {
            fresh.End();
            Refusal = fresh.Refusal;
            if (Refusal is null) recording = fresh;
            else fresh.Dispose();
        }
    }

    void Forget()
    {
        recording?.Dispose();
        recording = null;
        warm = false;
    }
}
