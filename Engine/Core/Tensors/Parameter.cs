namespace QuadEngine;

/// <summary>A tensor that is learned: a leaf of every graph, outliving all scopes, moved between devices in place.</summary>
public sealed class Parameter : Tensor
{
    /// <summary>Takes the values of a tensor, sharing its memory.</summary>
    public Parameter(Tensor values) : base(values.Storage.Retain(), values.Offset, values.Shape)
    {
        Keep();
        RequiresGrad = true;
    }

    /// <summary>Moves the values (and drops the gradient) to a device; everybody who holds this parameter sees it there.</summary>
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
