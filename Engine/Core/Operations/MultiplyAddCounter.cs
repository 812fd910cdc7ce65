namespace QuadEngine;

/// <summary>
/// Counts the multiply-adds that operations carry out while it is open: those of matrix products and convolutions, forward and backward, of quadratic neurons (2 per coefficient)
/// and of element-wise products of two tensors. As is usual, it does not count additions, squares, norms and activations. Counts from formulas are checked against it.
/// It flows as <see cref="NoGrad"/> does.
/// </summary>
public sealed class MultiplyAddCounter : IDisposable
{
    readonly Sum sum = Ambient<Kind>.Open(new Sum());

    /// <summary>The number of multiply-adds so far.</summary>
    public long Count => Volatile.Read(ref sum.Count);

    internal static void Add(long multiplyAdds)
    {
        for (var link = Ambient<Kind>.Current; link is Sum { IsOpen: var open } counter; link = counter.Outer)
            if (open) Interlocked.Add(ref counter.Count, multiplyAdds);
    }

    /// <inheritdoc/>
    public void Dispose() => Ambient<Kind>.Close(sum);

    readonly struct Kind;

    sealed class Sum : Link
    {
        public long Count;
    }
}
