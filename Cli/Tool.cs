using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Parsing;
using QuadEngine.Cli.Commands;

namespace QuadEngine.Cli;

/// <summary>Parses the command line, runs a command, and turns every error into one message and an exit code.</summary>
static class Tool
{
    const int Failed = 1, Misused = 2;

    /// <summary>Returns 0 for success, 1 for a failure, 2 for a wrong command line, 130 for an interruption.</summary>
    public static int Run(string[] arguments, Output output)
    {
        try
        {
            Plugins.Load(arguments);
            var parsed = Parse(arguments, output);
            if (parsed.Errors.Count > 0)
            {
                output.Error(Describe(parsed));
                output.Error($"`quad {string.Join(' ', CommandPath(parsed.CommandResult).Append("--help"))}` shows what can be given.", prefix: "");
                return Misused;
            }

            return parsed.Invoke(new() { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null, Output = output.Text, Error = output.Errors });
        }
        catch (Exception e)
        {
            output.Error(Describe(e));
            if (arguments.Contains(CommonOptions.Debug.Name)) output.Error(e.ToString(), prefix: "");
            return e is OperationCanceledException ? Interruption.ExitCode : Failed;
        }
    }

    /// <summary>Returns what a command line asks for, or its errors.</summary>
    public static ParseResult Parse(IReadOnlyList<string> arguments, Output output) =>
        Root(output).Parse(arguments, new ParserConfiguration { ResponseFileTokenReplacer = null });      // "@home.png" is a picture

    static RootCommand Root(Output output)
    {
        var root = new RootCommand("QuadEngine: deep learning in pure C#, with quadratic neurons. `quad train` is the main job: minutes on two cores, no download.")
        {
            TrainCommand.Create(output),
            EvalCommand.Create(output),
            PredictCommand.Create(output),
            ExportCommand.Create(output),
            SummaryCommand.Create(output),
            DataCommand.Create(output),
            ExperimentCommand.Create(output),
            DoctorCommand.Create(output),
            CommonOptions.Debug,
            Plugins.Option,
        };
        CheckNames(root, []);
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExample((HelpAction)help.Action!);
        root.SetAction(_ => root.Parse("--help").Invoke());
        return root;
    }

    // The commands themselves use each name once, but a plugin may add an option with a name that is in use.
    internal static void CheckNames(Command command, IReadOnlyList<string> inherited)
    {
        var names = command.Options.SelectMany(option => option.Aliases.Prepend(option.Name)).Concat(inherited).ToArray();
        if (names.CountBy(name => name).FirstOrDefault(name => name.Value > 1).Key is { } twice)
            throw new InvalidOperationException($"{EntryFlags.OutsiderOf(twice) ?? command.Name} has an option {twice}, which is an option of `quad {command.Name}` itself; it needs another name");
        string[] recursive = [.. inherited, .. command.Options.Where(option => option.Recursive).SelectMany(option => option.Aliases.Prepend(option.Name))];
        foreach (var subcommand in command.Subcommands) CheckNames(subcommand, recursive);
    }

    // Exceptions that the engine throws on purpose explain themselves. For all others the type says more than the message alone.
    static string Describe(Exception e) => e switch
    {
        AggregateException { InnerException: { } inner } => Describe(inner),
        OperationCanceledException => "interrupted",
        ArgumentException or IOException or InvalidFileException or Models.TrainingDivergedException or InvalidOperationException or NotSupportedException => e.Message,
        UnauthorizedAccessException => $"{e.Message} Give a path that may be read, or written if it is for output.",
        OutOfMemoryException => $"{e.Message} A smaller --batch needs less.",
        TypeInitializationException { InnerException: { } inner } => Describe(inner),
        _ => $"{e.GetType().Name}: {e.Message} (--debug shows where)",
    };

    // An unknown word comes first: it may be a misspelling of what is missing.
    static string Describe(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var word, ..]) return Describe(parsed.Errors[0]);
        var command = parsed.CommandResult.Command;
        var meant = Suggestion.For(word, command);
        return $"{(command is RootCommand ? "there is no command" : $"{command.Name} does not know")} {word}{(meant is null ? "" : $"; did you mean {meant}?")}";
    }

    // The parser says only that something is missing. Its name and meaning help more.
    static string Describe(ParseError error) => error.SymbolResult switch
    {
        ArgumentResult { Tokens.Count: 0, Argument: var argument } => $"{argument.HelpName ?? argument.Name} is missing. {argument.Description}",
        OptionResult { Implicit: true, Option: { Required: true } option } => $"{option.Name} {option.HelpName} is missing. {option.Description}",
        OptionResult { Tokens.Count: 0, Option: var option } when error.Message.StartsWith("Required", StringComparison.Ordinal) => $"{option.Name} needs a value. {option.Description}",
        CommandResult { Command: { Subcommands.Count: > 0 } command } when error.Message.StartsWith("Required", StringComparison.Ordinal) =>
            $"{command.Name} what? Give {string.Join(" or ", command.Subcommands.Select(subcommand => subcommand.Name))}.",
        _ => error.Message,
    };

    static IEnumerable<string> CommandPath(CommandResult result) =>
        result.Parent is CommandResult parent ? CommandPath(parent).Append(result.Command.Name) : [];
}
