namespace QuadEngine.Devices;

/// <summary>Counts the owners of an object that has it as a field. A new object has one owner. Exactly one call of <see cref="Leave"/>, the last, returns true.</summary>
struct Owners
{
    // The number of owners minus 1; -1 after the last one has left.
    int others;

    public int Count => Volatile.Read(ref others) + 1;

    /// <summary>Adds an owner. The caller is an owner, so there is at least one.</summary>
    public void Add() => Interlocked.Increment(ref others);

    /// <summary>Adds an owner; false if the last owner has left.</summary>
    public bool TryAdd()
    {
        for (var count = Volatile.Read(ref others); count >= 0; count = Volatile.Read(ref others))
            if (Interlocked.CompareExchange(ref others, count + 1, count) == count) return true;
        return false;
    }

    /// <summary>Removes an owner; true for the last one.</summary>
    public bool Leave() => Interlocked.Decrement(ref others) == -1;
}
