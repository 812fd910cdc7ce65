using System.Collections;

namespace QuadEngine.Data;

/// <summary>
/// Prepares items start .. end - 1 ahead of their consumer on other threads, at most <c>ahead</c> at once, and hands them out in
/// order. An item lives in a recycled buffer and is valid until the next one is asked for. What a preparation throws is thrown
/// where its item is asked for, and ends the enumeration. Disposing stops the preparation and waits for what is under way.
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
    /// <param name="end">One past the last item.</param>
    /// <param name="ahead">How many items may be in preparation at once; 0 prepares each when it is asked for, on the caller's thread.</param>
    /// <param name="create">Makes a buffer; <paramref name="ahead"/> + 1 are made at most.</param>
    /// <param name="prepare">Fills a buffer with an item; called from several threads.</param>
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
        // Guards and scopes of who asks for an item are not for its preparation.
        using AsyncFlowControl? apart = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        underWay.Enqueue(Task.Run(() =>
        {
            if (!stopped)
                prepare(item, buffer);
            return buffer;
        }));
    }
}
