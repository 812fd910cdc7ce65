namespace QuadEngine.Cli;

/// <summary>What of a line is left where there is little room.</summary>
static class Narrow
{
    /// <summary>The items in their order, without the least important ones that there is no room for; one is always left.</summary>
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
