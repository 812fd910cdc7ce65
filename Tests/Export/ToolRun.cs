using QuadEngine.Cli;

namespace QuadEngine.Tests.Export;

/// <summary>A command of the tool, run in this process.</summary>
static class ToolRun
{
    public static string Run(params string[] arguments)
    {
        using StringWriter text = new(), errors = new();
        var code = Tool.Run(arguments, new Output(text, errors, Terminal: null));
        Assert.That(code, Is.Zero, errors.ToString());
        return text.ToString();
    }
}
