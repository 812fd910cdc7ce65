extern alias real;
using System.Diagnostics.CodeAnalysis;
using QuadEngine.Tests.Interleaving;
using Real = real::System.Collections.Concurrent;

namespace System.Collections.Concurrent;

sealed class ConcurrentQueue<T> : IEnumerable<T>
{
    readonly Real.ConcurrentQueue<T> items = new();

    public int Count
    {
        get
        {
            Run.Step("Queue.Count", reads: true);
            return items.Count;
        }
    }

    public bool IsEmpty => Count == 0;

    public void Enqueue(T item)
    {
        Run.Step("Enqueue");
        items.Enqueue(item);
    }

    public void Add(T item) => Enqueue(item);

    public bool TryDequeue([MaybeNullWhen(false)] out T item)
    {
        Run.Step("TryDequeue");
        return items.TryDequeue(out item);
    }

    public IEnumerator<T> GetEnumerator() => items.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
