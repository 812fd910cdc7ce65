namespace QuadEngine.Devices;

/// <summary>
/// The content of a storage at one moment, for deferred results that will read it later. Until the next write, the snapshot is the storage itself and
/// costs nothing. The first write makes a copy before it begins, and the snapshot then refers to the copy. All results that
/// are to read the same version share one snapshot.
/// </summary>
/// <remarks>
/// A reader calls <see cref="RetainStorage"/>, reads, and then calls <see cref="Is"/>. If another thread has begun to write in the meantime, the
/// copy is complete, and the reader reads again from it. No thread waits for another.
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

    /// <summary>A share in the storage that holds the content; the caller releases it. The caller must hold the snapshot.</summary>
    public Storage RetainStorage()
    {
        while (true)
        {
            var now = Volatile.Read(ref current);
            if (now.TryRetain()) return now;
        }
    }

    /// <summary>Whether the content is still in the storage that <see cref="RetainStorage"/> returned.</summary>
    public bool Is(Storage storage) => ReferenceEquals(Volatile.Read(ref current), storage);

    /// <summary>Called before the storage is written: makes the snapshot refer to a copy, if anybody holds the snapshot.</summary>
    public void Freeze()
    {
        if (!TryRetain()) return;
        try
        {
            // If two threads write, only one of them makes the copy that is used.
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
