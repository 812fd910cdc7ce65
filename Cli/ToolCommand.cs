using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace QuadEngine.Cli;

/// <summary>A command whose help ends with examples.</summary>
sealed class ToolCommand(string name, string description, string example) : Command(name, description)
{
    /// <summary>Command lines that work, one a line.</summary>
    public string Example { get; } = example;
}

/// <summary>The usual help, then the command's examples.</summary>
sealed class HelpWithExample(HelpAction usual) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parsed)
    {
        var code = usual.Invoke(parsed);
        if (parsed.CommandResult.Command is ToolCommand command)
            parsed.InvocationConfiguration.Output.WriteLine($"Examples:\n  {command.Example.ReplaceLineEndings("\n  ")}");
        return code;
    }
}
