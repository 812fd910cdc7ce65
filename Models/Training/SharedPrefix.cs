namespace QuadEngine.Models;

/// <summary>
/// The prefix of all names of a file that comes from a wrapper around the network when it was saved: "module." (DataParallel), "_orig_mod." (torch.compile), "model." (Lightning),
/// several of them, or another name.
/// </summary>
static class SharedPrefix
{
    /// <summary>Returns the shortest prefix, made of whole names, without which one of the names is a name of the network. Returns an empty string if no prefix is needed, or if none helps.</summary>
    /// <param name="names">The names of the tensors in a file.</param>
    /// <param name="known">The names of the network.</param>
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
