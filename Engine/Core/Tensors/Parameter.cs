namespace QuadEngine;

/// <summary>A tensor that outlives all scopes and moves between devices in place: a <see cref="Parameter"/> or a <see cref="BufferTensor"/>.</summary>
public abstract class StateTensor : Tensor
{
    private protected StateTensor(Tensor values) : base(values.RetainStorage(), values.Offset, values.Shape) => Keep();

    /// <summary>The layout in files.</summary>
    public FileLayout Layout { get; init; }

    /// <summary>Moves the values to a device, and drops the gradient. Everybody who holds this tensor sees it there.</summary>
    /// <param name="device">The new device. If the tensor is there already, it keeps its gradient.</param>
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
    /// <summary>The claim of the thread that trains the parameter now.</summary>
    internal Claim Claim;

    /// <summary>Whether a module has registered the parameter, so that optimizers and checkpoints find it.</summary>
    internal bool IsRegistered { get; set; }

    /// <summary>The constraint that keeps the parameter on a set, or draws it to a set; null for none.</summary>
    public Constraint? Constraint { get; set; }

    /// <summary>Takes the values of a tensor and shares its memory.</summary>
    /// <param name="values">The first values. You may drop the handle. A write to it changes the parameter until the parameter moves.</param>
    public Parameter(Tensor values) : base(values) => RequiresGrad = true;
}

/// <summary>A tensor that is saved with a network but not learned, such as the running statistics of a batch norm.</summary>
public sealed class BufferTensor : StateTensor
{
    /// <summary>Takes the values of a tensor and shares its memory.</summary>
    /// <param name="values">The first values. You may drop the handle. A write to it changes the buffer until the buffer moves.</param>
    public BufferTensor(Tensor values) : base(values)
    {
    }
}
