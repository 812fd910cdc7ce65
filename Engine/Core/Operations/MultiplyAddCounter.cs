namespace QuadEngine;

/// <summary>
/// Counts the multiply-adds that operations really carry out while it is open: those of matrix products and convolutions, forward and backward, of quadratic neurons (2 a coefficient) and of element-wise products of two tensors. Additions,
/// squares, norms and activations are not counted, as is usual. The check on every count by formula. It flows as <see cref="NoGrad"/> does.
/// </summary>
public sealed class MultiplyAddCounter : IDisposable
{
    readonly Sum sum = Ambient<Kind>.Open(new Sum());

    /// <summary>Multiply-adds so far.</summary>
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
