namespace QuadEngine.Operations;

/// <summary>
/// Counts the multiply-adds that operations really carry out on this thread while it is open: those of matrix products and
/// convolutions, forward and backward, of quadratic neurons (2 a coefficient) and of element-wise products of two tensors. Additions,
/// squares, norms and activations are not counted, as is usual. The check on every count by formula.
/// </summary>
public sealed class MultiplyAddCounter : IDisposable
{
    [ThreadStatic] static MultiplyAddCounter? current;

    readonly MultiplyAddCounter? outer = current;

    /// <summary>Opens a counter.</summary>
    public MultiplyAddCounter() => current = this;

    /// <summary>Multiply-adds so far.</summary>
    public long Count { get; private set; }

    internal static void Add(long multiplyAdds)
    {
        for (var counter = current; counter is not null; counter = counter.outer) counter.Count += multiplyAdds;
    }

    /// <inheritdoc/>
    public void Dispose() => current = outer;
}
