namespace QuadEngine.Models;

/// <summary>
/// What all names of a file begin with because of how the network was wrapped when it was saved: "module." (DataParallel), "_orig_mod." (torch.compile), "model." (Lightning),
/// one in the other, or a name of somebody's own.
/// </summary>
static class SharedPrefix
{
    /// <summary>The shortest prefix, of whole names, without which a name of the network is found; empty where one is found as it is, or never.</summary>
    /// <param name="names">Of the tensors of a file.</param>
    /// <param name="known">Of the network.</param>
    public static string Of(IReadOnlyCollection<string> names, IReadOnlyCollection<string> known)
    {
        var own = known.ToHashSet();
        for (var prefix = ""; ; )
        {
            if (names.Any(name => own.Contains(name[prefix.Length..]))) return prefix;
            var first = names.FirstOrDefault() ?? "";
            var end = first.IndexOf('.', prefix.Length) + 1;
            if (end == 0 || !names.All(name => name.StartsWith(first[..end], StringComparison.Ordinal))) return "";
            prefix = first[..end];
        }
    }
}
