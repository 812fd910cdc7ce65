using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// A step that was asked for and is computed when somebody first reads its result. The operation that comes next may take it into its own pass
/// instead (<see cref="FusionTable"/>): then the memory in between is never written. The user writes the plain network and sees plain tensors;
/// results differ from those of separate passes by the rounding of a fused multiply-add at most.
/// <code>
///                    first reader, whichever thread
///     deferred ------------------------------------> computed
///        |  ^  the kernel failed: the next reader tries again
///        |
///        +--> dropped: the last handle on the result went unread
/// </code>
/// </summary>
/// <remarks>
/// <para>A step is immutable. It holds snapshots of its operands, so that it always computes what it would have computed at once. Operands
/// are computed when they are taken: no deferred step reads the result of another, however long the chain.</para>
/// <para>Three may own a step: the memory of its result until that is computed or dropped, the place of its result in the graph until that is
/// recorded or dropped, and for a moment whoever goes on from it. The last one releases the operands, once. Only those who need the result
/// wait while it is computed; who goes on from the step, drops it or overwrites an operand does not.</para>
/// </remarks>
abstract class DeferredStep
{
    // Nobody else sees the array, so it serves as the lock of those who need the result.
    readonly Input?[] inputs;
    Owners owners;

    /// <param name="shape">Of the result.</param>
    /// <param name="device">Where it will be.</param>
    /// <param name="inputs">What it reads; the step is their owner in the caller's place.</param>
    protected DeferredStep(Shape shape, Device device, Input?[] inputs) => (Shape, Device, this.inputs) = (shape, device, inputs);

    /// <summary>Off while every output is to be checked (<see cref="NonFiniteGuard"/>).</summary>
    public static bool Enabled => !NonFiniteGuard.Active;

    public Shape Shape { get; }

    public Device Device { get; }

    /// <summary>What it reads, in an order of its own.</summary>
    protected ReadOnlySpan<Input?> Inputs => inputs;

    /// <summary>The operation behind z may go on from this step, which z is the result of.</summary>
    public abstract bool IsFree(Tensor z);

    /// <summary>A tensor that will hold the result, with its place in the graph where the step has one of its own. Called once.</summary>
    public virtual Tensor Result() => Tensor.On(new Storage(this), Shape);

    /// <summary>Computes the result where that is still deferred; true where the statistics asked for were gathered on the way.</summary>
    /// <param name="result">The memory of its result; the caller is an owner.</param>
    /// <param name="statistics">Statistics of its channels that are wanted too, or null.</param>
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

    /// <summary>The kernel.</summary>
    /// <param name="held">Holds what is read.</param>
    /// <param name="statistics">Statistics that are wanted too, or null.</param>
    /// <param name="y">Where the result goes; uninitialized.</param>
    /// <returns>Whether the statistics were gathered on the way.</returns>
    protected abstract bool Run(Held held, ChannelStatistics<Operand>? statistics, Operand y);

    /// <summary>One owner more; the caller is one.</summary>
    public void Retain() => owners.Add();

    /// <summary>One owner more; false where the operands are released already.</summary>
    public bool TryRetain() => owners.TryAdd();

    public void Release()
    {
        if (owners.Leave()) ReleaseInputs();
    }

    /// <summary>Nobody computes the step any more.</summary>
    protected virtual void ReleaseInputs()
    {
        foreach (var input in inputs) input?.Release();
    }

    /// <summary>The inputs once more, with tensors in places that were free, from <paramref name="place"/> on; the caller is one owner more of each.</summary>
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

            // The running statistics have moved on with this batch and would do so again.
            if (gathered && statistics!.RunningMean is not null)
                throw new InvalidOperationException("BatchNorm: another thread overwrote weights or inputs while a forward pass in training read them. Train a network on one thread, or call Eval() on the one that only infers.");
        }
    }
}
