namespace QuadEngine;

/// <summary>A file is damaged, truncated, hostile or of an unknown kind. The message names the file, the place, what was found and what to do.</summary>
/// <param name="path">The file.</param>
/// <param name="location">The place in the file: an entry, a byte offset, or empty for the whole file.</param>
/// <param name="problem">What was found and what was expected, as a sentence without its period.</param>
/// <param name="fix">What the user can do, as a sentence.</param>
public sealed class InvalidFileException(string path, string location, string problem, string fix = InvalidFileException.GetAgain)
    : FormatException($"{path}: {Printable(location.Length == 0 ? problem : $"{location}: {problem}")}. {fix}")
{
    internal const string GetAgain = "The file is damaged or incomplete: download or save it again.";
    const int MaxLength = 1000;

    /// <summary>The file that was refused.</summary>
    public string Path { get; } = path;

    // Names in a hostile file may be extremely long, or contain control codes for the terminal that shows them.
    static string Printable(string text)
    {
        var end = text.Length <= MaxLength ? "" : "...";
        return string.Concat(text.Take(MaxLength).Select(c => char.IsControl(c) ? '?' : c)) + end;
    }
}
