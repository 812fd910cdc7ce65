using System.Collections;

namespace QuadEngine.Data;

/// <summary>
/// Prepares items start .. end - 1 on other threads before their consumer needs them, at most <c>ahead</c> at the same time, and returns them in
/// order. An item is in a reused buffer and is valid until the next item is requested. An exception of a preparation is thrown
/// when its item is requested, and ends the enumeration. Dispose stops the preparation and waits for the items that are in preparation.
/// </summary>
/// <typeparam name="T">The buffer of an item.</typeparam>
sealed class Prefetch<T> : IEnumerator<T> where T : class
{
    readonly Func<T> create;
    readonly Action<int, T> prepare;
    readonly Queue<Task<T>> underWay = new();
    readonly int end, ahead;
    int next;
    T? current;
    volatile bool stopped;

    /// <param name="start">The first item.</param>
    /// <param name="end">The item after the last one.</param>
    /// <param name="ahead">The number of items that may be in preparation at the same time; 0 prepares each item when it is requested, on the caller's thread.</param>
    /// <param name="create">Creates a buffer; it is called at most <paramref name="ahead"/> + 1 times.</param>
    /// <param name="prepare">Fills a buffer with an item; several threads call it.</param>
    public Prefetch(int start, int end, int ahead, Func<T> create, Action<int, T> prepare)
    {
        (next, this.end, this.ahead, this.create, this.prepare) = (start, end, ahead, create, prepare);
        while (underWay.Count < ahead && next < end)
            Begin(create());
    }

    /// <inheritdoc/>
    public T Current => current ?? throw new InvalidOperationException("No current item: call MoveNext first.");

    object IEnumerator.Current => Current;

    /// <inheritdoc/>
    public bool MoveNext()
    {
        ObjectDisposedException.ThrowIf(stopped, this);
        var free = current;
        current = null;

        try
        {
            if (underWay.TryDequeue(out var task))
                current = task.GetAwaiter().GetResult();

            if (next < end && ahead > 0)
                Begin(free ?? create());
            else if (next < end)
                prepare(next++, current = free ?? create());
        }
        catch
        {
            Dispose();
            throw;
        }
        return current is not null;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopped = true;
        foreach (Task task in underWay)
            task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing).GetAwaiter().GetResult();
        underWay.Clear();
        current = null;
    }

    void IEnumerator.Reset() => throw new NotSupportedException("Enumerate again instead.");

    void Begin(T buffer)
    {
        var item = next++;
        // The guards and scopes of the caller must not act on the preparation.
        using AsyncFlowControl? apart = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        underWay.Enqueue(Task.Run(() =>
        {
            if (!stopped)
                prepare(item, buffer);
            return buffer;
        }));
    }
}
