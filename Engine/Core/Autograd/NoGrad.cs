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
}
