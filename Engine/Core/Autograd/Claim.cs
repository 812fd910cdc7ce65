namespace QuadEngine;

/// <summary>
/// Held by one thread while it trains: parameters, by Backward and by an optimizer's step; the running statistics of a batch norm. A second thread
/// that comes meanwhile is told so, instead of both leaving a mixture of two steps behind. Costs one interlocked operation.
/// </summary>
struct Claim
{
    int holder;

    /// <summary>Takes it for this thread.</summary>
    /// <param name="operation">For the message.</param>
    /// <param name="what">For the message: "a parameter", and its shape where one is given.</param>
    /// <param name="shape">For the message.</param>
    /// <returns>True where it is to be left again; false where this thread held it already.</returns>
    /// <exception cref="InvalidOperationException">Another thread holds it.</exception>
    public bool Take(string operation, string what, Shape? shape = null)
    {
        var here = Environment.CurrentManagedThreadId;
        var before = Interlocked.CompareExchange(ref holder, here, 0);
        if (before == 0 || before == here) return before == 0;
        throw new InvalidOperationException($"{operation}: another thread is training {what}{(shape is { } of ? $" of shape {of}" : "")} just now. "
            + "One thread at a time trains a network: let the threads take turns, or give each a network of its own. Inference may run on many threads (docs/threads.md).");
    }

    /// <summary>Gives it up.</summary>
    public void Leave() => Volatile.Write(ref holder, 0);
}

/// <summary>The parameters that one operation of training has taken, given up together when it ends.</summary>
/// <param name="operation">"Backward", for messages.</param>
sealed class Claims(string operation) : IDisposable
{
    readonly List<Parameter> taken = [];

    /// <summary>Takes a leaf of the graph for this thread; one that is no parameter belongs to who made it.</summary>
    /// <exception cref="InvalidOperationException">Another thread trains it just now.</exception>
    public void Take(Tensor leaf)
    {
        if (leaf is Parameter parameter && parameter.Claim.Take(operation, "a parameter", parameter.Shape)) taken.Add(parameter);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var parameter in taken) parameter.Claim.Leave();
        taken.Clear();
    }
}
