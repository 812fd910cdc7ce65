namespace QuadEngine;

/// <summary>A tensor that outlives all scopes and is moved between devices in place: a <see cref="Parameter"/> or a <see cref="BufferTensor"/>.</summary>
public abstract class StateTensor : Tensor
{
    private protected StateTensor(Tensor values) : base(values.RetainStorage(), values.Offset, values.Shape) => Keep();

    /// <summary>How it lies in files.</summary>
    public FileLayout Layout { get; init; }

    /// <summary>Moves the values (and drops the gradient) to a device; everybody who holds this tensor sees it there.</summary>
    /// <param name="device">Where to; on its own device the tensor keeps its gradient too.</param>
    public void MoveTo(Device device)
    {
        if (ReferenceEquals(device, Device)) return;
        using var moved = To(device);
        Rebase(moved);
        ClearGrad();
    }

    /// <summary>Drops the gradient.</summary>
    public void ClearGrad()
    {
        Grad?.Dispose();
        Grad = null;
    }
}

/// <summary>A tensor that is learned: a leaf of every graph that it enters.</summary>
public sealed class Parameter : StateTensor
{
    /// <summary>Held by the thread that trains it just now.</summary>
    internal Claim Claim;

    /// <summary>Some module has it: optimizers and checkpoints find it there.</summary>
    internal bool IsRegistered { get; set; }

    /// <summary>What keeps it on a set, or draws it to one; null for none.</summary>
    public Constraint? Constraint { get; set; }

    /// <summary>Takes the values of a tensor, sharing its memory.</summary>
    /// <param name="values">The first values. The handle may be dropped; a write to it reaches the parameter until that moves.</param>
    public Parameter(Tensor values) : base(values) => RequiresGrad = true;
}

/// <summary>A tensor that is saved with a network but not learned, as the running statistics of batch norm.</summary>
public sealed class BufferTensor : StateTensor
{
    /// <summary>Takes the values of a tensor, sharing its memory.</summary>
    /// <param name="values">The first values. The handle may be dropped; a write to it reaches the buffer until that moves.</param>
    public BufferTensor(Tensor values) : base(values)
    {
    }
}
