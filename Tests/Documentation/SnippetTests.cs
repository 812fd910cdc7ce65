using System.Text.RegularExpressions;

namespace QuadEngine.Tests.Documentation;

/// <summary>
/// Every piece of C# in the documentation compiles as it is. If it needs code before it, a comment has that code, which readers of the page do not see:
/// <c>&lt;!-- before: using QuadEngine.Operations; Tensor x = null!; --&gt;</c>. With "run" instead of "before" the piece also runs.
/// </summary>
public sealed partial class SnippetTests
{
    static IEnumerable<TestCaseData> Snippets() => Pages().SelectMany(page => Snippet().Matches(File.ReadAllText(page)).Select((match, i) =>
        new TestCaseData(match.Groups["before"].Value, match.Groups["code"].Value, match.Groups["how"].Value == "run").SetArgDisplayNames($"{Path.GetRelativePath(Repository.Root, page)} {i + 1}")));

    static IEnumerable<string> Pages() => new[] { "README.md", "CONTRIBUTING.md" }.Select(name => Repository.PathOf(name)).Where(File.Exists)
        .Concat(new[] { "docs", "Data", "Layers", "Models", "Engine", "Cli" }.SelectMany(folder => Directory.EnumerateFiles(Repository.PathOf(folder), "*.md", SearchOption.AllDirectories)))
        .Where(page => !page.Contains($"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    [GeneratedRegex(@"(<!-- (?<how>before|run):(?<before>.*?)-->\s*)?^```(csharp|cs|c#)\s*?\n(?<code>.*?)^```", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex Snippet();

    [GeneratedRegex(@"^\s*using [\w.]+;")]
    private static partial Regex Using();

    [TestCaseSource(nameof(Snippets))]
    public void Snippet_compiles(string before, string code, bool runs)
    {
        // All usings come first.
        var lines = (before + "\n" + code).Split('\n');
        var parts = lines.ToLookup(line => Using().IsMatch(line));
        var program = string.Join('\n', parts[true].Concat(parts[false]));
        Assert.That(Programs.Errors(program), Is.Empty);
        if (runs) Programs.Run(program);
    }

    [Test]
    public void A_snippet_that_does_not_compile_is_found()
    {
        Assert.That(Programs.Errors("using QuadEngine; var x = Tensor.Ones([2]); Console.WriteLine(x.Sum().Item());"), Is.Empty);
        Assert.That(Programs.Errors("using QuadEngine; var x = Tensor.Twos([2]);"), Has.Length.EqualTo(1).And.All.Contains("Twos"));
    }
}
