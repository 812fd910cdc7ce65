namespace QuadEngine.Cli;

/// <summary>Shortens a line to the room that there is.</summary>
static class Narrow
{
    /// <summary>Returns the items that fit, in their order. The least important are left out first; one item always remains.</summary>
    public static IEnumerable<T> Fit<T>(IReadOnlyList<T> items, Func<T, int> width, Func<T, int> importance, int room)
    {
        var kept = new HashSet<T>();
        foreach (var item in items.OrderByDescending(importance))
        {
            if (kept.Count > 0 && width(item) > room) break;
            room -= width(item);
            kept.Add(item);
        }

        return items.Where(kept.Contains);
    }
}
