namespace QuadEngine;

public partial class Tensor
{
    /// <summary>No element is NaN or infinite.</summary>
    public bool IsFinite() => throw new NotImplementedException();
}
