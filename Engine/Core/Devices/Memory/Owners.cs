namespace QuadEngine.Devices;

/// <summary>Counts the owners of the object that it is a field of. A new object has one. The last owner to leave is told, once.</summary>
struct Owners
{
    // All owners but the first; -1 after the last has left.
    int others;

    public int Count => Volatile.Read(ref others) + 1;

    /// <summary>One owner more. The caller is an owner, so there is one.</summary>
    public void Add() => Interlocked.Increment(ref others);

    /// <summary>One owner more; false where the last one has left.</summary>
    public bool TryAdd()
    {
        for (var count = Volatile.Read(ref others); count >= 0; count = Volatile.Read(ref others))
            if (Interlocked.CompareExchange(ref others, count + 1, count) == count) return true;
        return false;
    }

    /// <summary>One owner less; true for the last.</summary>
    public bool Leave() => Interlocked.Decrement(ref others) == -1;
}
