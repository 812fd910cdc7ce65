namespace QuadEngine;

/// <summary>
/// While a NoGrad is open, the tape records nothing. Use it for evaluation and for updates of parameters. It holds for the code that follows, also after an await on another
/// thread and in tasks started inside, and for no other code. Disposing it restores the previous state.
/// </summary>
public readonly struct NoGrad : IDisposable
{
    readonly Link link;

    /// <summary>Stops recording until disposed.</summary>
    public NoGrad() => link = Ambient<NoGrad>.Open(new Link());

    /// <summary>Whether recording is off here.</summary>
    public static bool Active => Ambient<NoGrad>.Current is not (null or Resumption);

    /// <inheritdoc/>
    public void Dispose()
    {
        if (link is not null) Ambient<NoGrad>.Close(link);
    }

    /// <summary>Stops recording on this thread while a method of the engine runs.</summary>
    internal readonly ref struct OnStack : IDisposable
    {
        readonly Link link = new();
        readonly Link? below;

        public OnStack() => below = Ambient<NoGrad>.Push(link);

        public void Dispose() => Ambient<NoGrad>.Pop(link, below);
    }

    /// <summary>Records again on this thread, even under NoGrad. It is for functions that are computed a second time during backward.</summary>
    internal readonly ref struct Suspended : IDisposable
    {
        readonly Link link = new Resumption();
        readonly Link? below;

        public Suspended() => below = Ambient<NoGrad>.Push(link);

        public void Dispose() => Ambient<NoGrad>.Pop(link, below);
    }

    sealed class Resumption : Link;
}
