namespace QuadEngine.Devices;

/// <summary>
/// The content of a storage at one moment, for waiting results that will read it later. Until somebody writes, it is the storage itself and
/// costs nothing; the first write after that moment makes a copy before it begins, and the snapshot goes over to that. All that
/// wait for one version share one snapshot.
/// </summary>
/// <remarks>
/// Who reads asks for <see cref="Open"/>, reads, and asks <see cref="Is"/> afterwards: where another thread has begun to write meanwhile, the
/// copy is complete, and the reading is done again from it. Nobody waits for anybody.
/// </remarks>
sealed class Snapshot
{
    readonly Storage source;
    Storage current;
    Owners holders;

    public Snapshot(Storage source)
    {
        this.source = source;
        current = source.Retain();
    }

    public bool TryRetain() => holders.TryAdd();

    public void Release()
    {
        if (!holders.Leave()) return;
        source.Forget(this);
        current.Release();
    }

    /// <summary>Where the content is: a share, which the caller releases. The caller holds the snapshot.</summary>
    public Storage Open()
    {
        while (true)
        {
            var now = Volatile.Read(ref current);
            if (now.TryRetain()) return now;
        }
    }

    /// <summary>The content is still where it was when it was opened.</summary>
    public bool Is(Storage opened) => ReferenceEquals(Volatile.Read(ref current), opened);

    /// <summary>The storage is about to be written: goes over to a copy, if anybody holds the snapshot.</summary>
    public void Freeze()
    {
        if (!TryRetain()) return;
        try
        {
            // Of two threads that write, one makes the copy that counts.
            if (!Is(source)) return;
            var copy = source.Copy();
            var replaced = Interlocked.CompareExchange(ref current, copy, source);
            (ReferenceEquals(replaced, source) ? source : copy).Release();
        }
        finally
        {
            Release();
        }
    }
}
