namespace QuadEngine;

/// <summary>
/// A thread holds a claim while it trains. Backward and an optimizer's step claim parameters; a batch norm claims its running statistics. A second thread
/// that comes in the meantime gets an error, so that the two threads do not mix two steps. A claim costs one interlocked operation.
/// </summary>
struct Claim
{
    int holder;

    /// <summary>Takes the claim for this thread.</summary>
    /// <param name="operation">For the message.</param>
    /// <param name="what">For the message, e.g. "a parameter".</param>
    /// <param name="shape">The shape of the parameter, for the message, or null.</param>
    /// <returns>True if the caller must leave the claim again; false if this thread held it already.</returns>
    /// <exception cref="InvalidOperationException">Another thread holds it.</exception>
    public bool Take(string operation, string what, Shape? shape = null)
    {
        var here = Environment.CurrentManagedThreadId;
        var before = Interlocked.CompareExchange(ref holder, here, 0);
        if (before == 0 || before == here) return before == 0;
        throw new InvalidOperationException($"{operation}: another thread is training {what}{(shape is { } of ? $" of shape {of}" : "")} at the moment. "
            + "One thread at a time trains a network: let the threads take turns, or give each a network of its own. Inference may run on many threads (docs/threads.md).");
    }

    /// <summary>Gives the claim up.</summary>
    public void Leave() => Volatile.Write(ref holder, 0);
}

/// <summary>The parameters that one training operation has claimed. They are given up together when it ends.</summary>
/// <param name="operation">"Backward", for messages.</param>
sealed class Claims(string operation) : IDisposable
{
    readonly List<Parameter> taken = [];

    /// <summary>Claims a leaf of the graph for this thread. A leaf that is not a parameter needs no claim: it belongs to its maker.</summary>
    /// <exception cref="InvalidOperationException">Another thread is training it.</exception>
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
