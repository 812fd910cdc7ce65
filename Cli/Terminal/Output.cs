using System.Text.Json;
using Spectre.Console;

namespace QuadEngine.Cli;

/// <summary>Where the tool writes: Spectre.Console on a terminal, plain lines into files and pipes.</summary>
/// <param name="Text">Results.</param>
/// <param name="Errors">Messages of what went wrong.</param>
/// <param name="Terminal">Colours and live progress; null where the output is no terminal.</param>
sealed record Output(TextWriter Text, TextWriter Errors, IAnsiConsole? Terminal)
{
    /// <summary>The console of this process.</summary>
    public static Output ToConsole() => new(Console.Out, Console.Error,
        !Console.IsOutputRedirected && AnsiConsole.Profile.Capabilities.Ansi ? AnsiConsole.Console : null);

    /// <summary>A line.</summary>
    public void Line(string text = "") => Text.WriteLine(text);

    /// <summary>A line of which one part stands out on a terminal.</summary>
    public void Line(string before, string bold, string after)
    {
        if (Terminal is null) Line(before + bold + after);
        else Terminal.MarkupLine($"{Markup.Escape(before)}[bold]{Markup.Escape(bold)}[/]{Markup.Escape(after)}");
    }

    /// <summary>Says what went wrong.</summary>
    public void Error(string message, string prefix = "quad: ") => Errors.WriteLine(prefix + message.TrimEnd());

    /// <summary>Rows under headings, aligned; a heading that starts with '&gt;' is of numbers, to the right.</summary>
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

    /// <summary>One line of JSON, the last of a command.</summary>
    public void Json(Report report) => Line(JsonSerializer.Serialize(report, ReportJson.Default.Report));
}
