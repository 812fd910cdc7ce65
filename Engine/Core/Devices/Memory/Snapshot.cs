namespace QuadEngine.Devices;

/// <summary>
/// The content of a storage at one moment, for deferred results that will read it later. Until somebody writes, it is the storage itself and
/// costs nothing; the first write after that moment makes a copy before it begins, and the snapshot goes over to that. All that
/// read one version have one snapshot together.
/// </summary>
/// <remarks>
/// Who reads asks for <see cref="RetainStorage"/>, reads, and asks <see cref="Is"/> afterwards: where another thread has begun to write meanwhile, the
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

    /// <summary>Where the content is, with the caller as one owner more. The caller holds the snapshot.</summary>
    public Storage RetainStorage()
    {
        while (true)
        {
            var now = Volatile.Read(ref current);
            if (now.TryRetain()) return now;
        }
    }

    /// <summary>The content is still in this storage.</summary>
    public bool Is(Storage storage) => ReferenceEquals(Volatile.Read(ref current), storage);

    /// <summary>The storage is about to be written: goes over to a copy, if anybody holds the snapshot.</summary>
    public void Freeze()
    {
        if (!TryRetain()) return;
        try
        {
            // Of two threads that write, one makes the copy that counts.
            if (!Is(source)) return;
            var copy = source.Clone();
            var replaced = Interlocked.CompareExchange(ref current, copy, source);
            (ReferenceEquals(replaced, source) ? source : copy).Release();
        }
        finally
        {
            Release();
        }
    }
}
