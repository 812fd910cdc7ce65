using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// A step that is computed when somebody first reads its result. The next operation may take the step into its own pass
/// (<see cref="FusionTable"/>). Then the result between the two is never written. The user writes the plain network and sees plain tensors;
/// results differ from those of separate passes at most by the rounding of a fused multiply-add.
/// <code>
///                    first reader, on any thread
///     deferred ------------------------------------> computed
///        |  ^  the kernel failed: the next reader tries again
///        |
///        +--> dropped: nobody read the result before its last handle was dropped
/// </code>
/// </summary>
/// <remarks>
/// <para>A step is immutable. It holds snapshots of its operands, so it always computes what it would have computed at once. Operands
/// are computed when the step takes them: no deferred step reads the result of another, however long the chain is.</para>
/// <para>A step has up to three owners: the memory of its result until the result is computed or dropped; the place of its result in the graph until it is
/// recorded or dropped; and, for a moment, an operation that continues the step. The last owner releases the operands, once. Only threads that need the result
/// wait while it is computed. A thread that continues the step, drops it or overwrites an operand does not wait.</para>
/// </remarks>
abstract class DeferredStep
{
    // Nobody else sees the array, so it is the lock for the threads that need the result.
    readonly Input?[] inputs;
    Owners owners;

    /// <param name="shape">The shape of the result.</param>
    /// <param name="device">The device of the result.</param>
    /// <param name="inputs">The operands; the step takes over the caller's shares.</param>
    protected DeferredStep(Shape shape, Device device, Input?[] inputs) => (Shape, Device, this.inputs) = (shape, device, inputs);

    /// <summary>Whether steps are deferred. They are not while every output must be checked (<see cref="NonFiniteGuard"/>).</summary>
    public static bool Enabled => !NonFiniteGuard.Active;

    public Shape Shape { get; }

    public Device Device { get; }

    /// <summary>The operands, in an order that each kind of step defines.</summary>
    protected ReadOnlySpan<Input?> Inputs => inputs;

    /// <summary>Whether the operation after z, the result of this step, may continue this step.</summary>
    public abstract bool IsFree(Tensor z);

    /// <summary>Makes the tensor that will hold the result, and its place in the graph if the step makes its own entry. Called once.</summary>
    public virtual Tensor Result() => Tensor.On(new Storage(this), Shape);

    /// <summary>Computes the result if it is still deferred. Returns whether it also gathered the requested statistics.</summary>
    /// <param name="result">The memory of the result; the caller must own a share.</param>
    /// <param name="statistics">The statistics of the channels to gather too, or null.</param>
    public bool Compute(Storage result, ChannelStatistics<Tensor>? statistics)
    {
        bool gathered;
        lock (inputs)
        {
            if (result.Deferred is null) return false;
            var block = Device.Pool.Rent(4L * result.Length);
            try
            {
                gathered = Compute(result, block, statistics);
            }
            catch
            {
                Device.Pool.Return(block);
                throw;
            }

            result.Complete(block);
        }

        Release();
        return gathered;
    }

    /// <summary>Runs the kernel.</summary>
    /// <param name="held">Holds the operands that are read.</param>
    /// <param name="statistics">The statistics to gather too, or null.</param>
    /// <param name="y">The memory of the result, uninitialized.</param>
    /// <returns>Whether the statistics were gathered.</returns>
    protected abstract bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y);

    /// <summary>Adds an owner. The caller must be an owner.</summary>
    public void Retain() => owners.Add();

    /// <summary>Adds an owner; false if the operands are released already.</summary>
    public bool TryRetain() => owners.TryAdd();

    public void Release()
    {
        if (owners.Leave()) ReleaseInputs();
    }

    /// <summary>Releases the operands, because nobody will compute the step any more.</summary>
    protected virtual void ReleaseInputs()
    {
        foreach (var input in inputs) input?.Release();
    }

    /// <summary>The inputs, with tensors in places that were free, from <paramref name="place"/> on. The caller gets a share of each.</summary>
    protected Input?[] InputsWith(int place, params ReadOnlySpan<Tensor?> tensors)
    {
        var more = Input.Of(tensors);
        var all = new Input?[inputs.Length];
        for (var i = 0; i < all.Length; i++) all[i] = i >= place && i < place + more.Length ? more[i - place] : inputs[i]?.Retain();
        return all;
    }

    bool Compute(Storage result, DeviceMemory block, ChannelStatistics<Tensor>? statistics)
    {
        while (true)
        {
            using var held = new Held();
            var gathered = Run(held, statistics?.Hold(held), held.WriteNew(result, block, Shape));
            if (held.AreCurrent) return gathered;

            // This batch has updated the running statistics already; another try would update them again.
            if (gathered && statistics!.RunningMean is not null)
                throw new InvalidOperationException("BatchNorm: another thread overwrote weights or inputs while a forward pass in training read them. Train a network on one thread, or call Eval() on a network that is only used for inference.");
        }
    }
}
