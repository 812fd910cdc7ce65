using System.Text.Json;
using Spectre.Console;

namespace QuadEngine.Cli;

/// <summary>Where the tool writes: Spectre.Console on a terminal, plain lines into files and pipes.</summary>
/// <param name="Text">The writer of results.</param>
/// <param name="Errors">The writer of error messages.</param>
/// <param name="Terminal">The terminal, for colors and live progress; null if the output is not a terminal.</param>
sealed record Output(TextWriter Text, TextWriter Errors, IAnsiConsole? Terminal)
{
    /// <summary>The console of this process.</summary>
    public static Output ToConsole() => new(Console.Out, Console.Error,
        !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi ? AnsiConsole.Console : null);

    /// <summary>Writes a line.</summary>
    public void Line(string text = "") => Text.WriteLine(text);

    /// <summary>Writes a line with one part in bold on a terminal.</summary>
    public void Line(string before, string bold, string after)
    {
        if (Terminal is null) Line(before + bold + after);
        else Terminal.MarkupLine($"{Markup.Escape(before)}[bold]{Markup.Escape(bold)}[/]{Markup.Escape(after)}");
    }

    /// <summary>Writes an error message.</summary>
    public void Error(string message, string prefix = "quad: ") => Errors.WriteLine(prefix + message.TrimEnd());

    /// <summary>Writes aligned rows under headings. If a heading starts with '&gt;', its column holds numbers and is aligned to the right.</summary>
    public void Table(IReadOnlyList<string> headings, IEnumerable<IReadOnlyList<string>> rows)
    {
        var all = rows.Prepend([.. headings.Select(heading => heading.TrimStart('>'))]).ToList();
        var widths = headings.Select((_, column) => all.Max(row => row[column].Length)).ToArray();
        for (var i = 0; i < all.Count; i++)
        {
            var cells = all[i].Select((cell, column) => headings[column].StartsWith('>') ? cell.PadLeft(widths[column]) : cell.PadRight(widths[column]));
            var line = string.Join("  ", cells).TrimEnd();
            if (i == 0) Line("", line, "");
            else Line(line);
        }
    }

    /// <summary>Writes one line of JSON, the last line of a command.</summary>
    public void Json(Report report) => Line(JsonSerializer.Serialize(report, ReportJson.Default.Report));
}
