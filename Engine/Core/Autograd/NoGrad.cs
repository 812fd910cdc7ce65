namespace QuadEngine;

/// <summary>While one is open on a thread, nothing is recorded there: evaluation, and updates of parameters.</summary>
public readonly struct NoGrad : IDisposable
{
    [ThreadStatic] static int depth;

    /// <summary>Stops recording until disposed.</summary>
    public NoGrad() => depth++;

    /// <summary>Recording is off on this thread.</summary>
    public static bool Active => depth > 0;

    /// <inheritdoc/>
    public void Dispose() => depth--;

    /// <summary>Records again until disposed, however many are open: for what is computed a second time during backward.</summary>
    internal readonly struct Suspended : IDisposable
    {
        readonly int open;

        public Suspended() => (open, depth) = (depth, 0);

        public void Dispose() => depth = open;
    }
}
