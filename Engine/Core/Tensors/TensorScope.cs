namespace QuadEngine;

/// <summary>
/// Drops, when disposed, every tensor handle made on this thread since it was opened, all but those passed to
/// <see cref="Result"/> or kept with <see cref="Tensor.Keep"/>. Memory that the tape needs for backward belongs to the tape and stays.
/// Every call of a module is such a scope.
/// </summary>
public sealed class TensorScope : IDisposable
{
    [ThreadStatic] static TensorScope? current;

    readonly TensorScope? outer = current;
    readonly List<Tensor> made = [];
    readonly string name;

    /// <summary>Opens a scope.</summary>
    /// <param name="name">What runs inside, for messages: the module.</param>
    public TensorScope(string name = "")
    {
        this.name = name;
        current = this;
    }

    /// <summary>The names of the open scopes from the outermost in, joined by dots; empty outside of all.</summary>
    public static string CurrentPath => current?.Path ?? "";

    // Put together where somebody asks: few do.
    string Path => field ??= outer is null || outer.Path.Length == 0 ? name : name.Length == 0 ? outer.Path : $"{outer.Path}.{name}";

    /// <summary>Keeps a handle past the end of this scope; it belongs to the scope outside, or to the caller where there is none.</summary>
    public Tensor Result(Tensor tensor)
    {
        if (Remove(tensor)) outer?.made.Add(tensor);
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        current = outer;
        foreach (var tensor in made) tensor.Dispose();
        made.Clear();
    }

    internal static void Register(Tensor tensor) => current?.made.Add(tensor);

    internal static void Forget(Tensor tensor)
    {
        for (var scope = current; scope is not null; scope = scope.outer)
            if (scope.Remove(tensor)) return;
    }

    // From the end: it is nearly always the last one made.
    bool Remove(Tensor tensor)
    {
        var place = made.LastIndexOf(tensor);
        if (place >= 0) made.RemoveAt(place);
        return place >= 0;
    }
}
