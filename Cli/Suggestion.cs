using System.CommandLine;

namespace QuadEngine.Cli;

/// <summary>Suggests what a word that a command does not know probably means.</summary>
static class Suggestion
{
    const int MostEdits = 2;

    /// <summary>Returns a subcommand or an option of a command, or the option that a value belongs to; null if nothing is similar.</summary>
    public static string? For(string word, Command command)
    {
        var options = command.Options.Where(option => !option.Hidden).ToArray();
        if (Nearest(word, command.Subcommands.Select(subcommand => subcommand.Name).Concat(options.SelectMany(option => option.Aliases.Prepend(option.Name)))) is { } near) return near;
        if (word.StartsWith('-')) return null;
        return options.FirstOrDefault(option => option.Required) is { } required ? $"{required.Name} {Shell.Quote(word)}" : OptionOf(word, options);
    }

    // "--epoch" is the beginning of "--epochs", "help" is "--help" without its dashes, "trian" is "train" with two letters exchanged.
    static string? Nearest(string word, IEnumerable<string> known)
    {
        var bare = word.TrimStart('-');
        var ranked = known.Select(name => (Name: name, Bare: name.TrimStart('-'))).Where(name => name.Bare.Length > 1)
            .Select(name => (name.Name, Edits: name.Bare.StartsWith(bare, StringComparison.OrdinalIgnoreCase) && bare.Length > 1 ? 0 : Edits(bare, name.Bare), name.Bare.Length))
            .Where(name => name.Edits <= Math.Min(MostEdits, name.Length / 2)).OrderBy(name => name.Edits).ThenBy(name => name.Length);
        return ranked.Select(name => name.Name).FirstOrDefault();
    }

    static string? OptionOf(string word, IEnumerable<Option> options) => options
        .Where(option => option.GetCompletions(System.CommandLine.Completions.CompletionContext.Empty).Any(completion => completion.Label.Equals(word, StringComparison.OrdinalIgnoreCase)))
        .Select(option => $"{option.Name} {word}").FirstOrDefault();

    /// <summary>Returns the number of letters to insert, delete or replace (Levenshtein 1966).</summary>
    static int Edits(string from, string to)
    {
        var row = Enumerable.Range(0, to.Length + 1).ToArray();
        for (var i = 1; i <= from.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= to.Length; j++)
            {
                var replaced = diagonal + (char.ToLowerInvariant(from[i - 1]) == char.ToLowerInvariant(to[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(replaced, 1 + Math.Min(row[j], row[j - 1]));
            }
        }

        return row[^1];
    }
}
