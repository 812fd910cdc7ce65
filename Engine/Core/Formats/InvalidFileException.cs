namespace QuadEngine;

/// <summary>A file is damaged, truncated, hostile or of an unknown kind. The message names the file, the place, what was found and what to do.</summary>
/// <param name="path">The file.</param>
/// <param name="location">Where in the file: an entry, a byte offset, or empty for the file as a whole.</param>
/// <param name="problem">What was found and what was expected, as a sentence without its full stop.</param>
/// <param name="fix">What the reader of the message can do, as a sentence.</param>
public sealed class InvalidFileException(string path, string location, string problem, string fix = InvalidFileException.GetAgain)
    : FormatException($"{path}: {Printable(location.Length == 0 ? problem : $"{location}: {problem}")}. {fix}")
{
    internal const string GetAgain = "The file is damaged or incomplete: download or save it again.";
    const int MaxLength = 1000;

    /// <summary>The file that was refused.</summary>
    public string Path { get; } = path;

    // Names out of a hostile file may be endless, or steer the terminal that shows them.
    static string Printable(string text)
    {
        var end = text.Length <= MaxLength ? "" : "...";
        return string.Concat(text.Take(MaxLength).Select(c => char.IsControl(c) ? '?' : c)) + end;
    }
}
