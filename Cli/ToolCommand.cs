using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace QuadEngine.Cli;

/// <summary>A command whose help ends with examples.</summary>
sealed class ToolCommand(string name, string description, string example) : Command(name, description)
{
    /// <summary>Command lines that work, one on each line.</summary>
    public string Example { get; } = example;

    /// <summary>The registries whose entries can be chosen by name, each with the option that chooses. The help has a line about each entry.</summary>
    public IReadOnlyList<(string Option, Registry Registry)> Lists { get; init; } = [];
}

/// <summary>Prints the usual help, then the entries that can be chosen by name, then the command's examples.</summary>
sealed class HelpWithExample(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parsed)
    {
        var code = usual.Invoke(parsed);
        if (parsed.CommandResult.Command is not ToolCommand command) return code;
        var output = parsed.InvocationConfiguration.Output;
        foreach (var (option, registry) in command.Lists)
        {
            var lines = EntryFlags.Lines(registry).ToArray();
            var width = lines.Max(line => line.Names.Length);
            output.WriteLine($"{option}:");
            foreach (var (names, help) in lines) output.WriteLine($"  {names.PadRight(width)}  {help}");
            output.WriteLine();
        }

        output.WriteLine($"Examples:\n  {command.Example.ReplaceLineEndings("\n  ")}");
        return code;
    }
}
