namespace QuadEngine.Cli;

/// <summary>Writes command lines that a user can copy.</summary>
static class Shell
{
    /// <summary>The tool as it was called: "quad", with its plugins.</summary>
    public static string Tool => string.Concat("quad", string.Concat(Plugins.Files.Select(file => $" --plugin {Quote(file)}")));

    /// <summary>Returns a word of a command line, in quotes if a shell would split or change it.</summary>
    public static string Quote(string word)
    {
        if (word.Length > 0 && word.All(letter => char.IsLetterOrDigit(letter) || "_-./:=+,@%".Contains(letter, StringComparison.Ordinal) || letter == Path.DirectorySeparatorChar)) return word;
        return OperatingSystem.IsWindows() ? $"\"{word}\"" : $"'{word.Replace("'", @"'\''", StringComparison.Ordinal)}'";
    }
}
