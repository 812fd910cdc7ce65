using System.Text.RegularExpressions;
using QuadEngine.Cli;

namespace QuadEngine.Tests.Documentation;

/// <summary>Everything that README and docs/ name exists, and the tool accepts their command lines.</summary>
public sealed partial class DocumentationTests
{
    /// <summary>The page whose command lines need the plugin of the tests.</summary>
    public const string PluginPage = "docs/extending.md";

    static readonly string[] packages = ["Engine/Core/README.md", "Engine/Gpu/README.md", "Layers/README.md", "Models/README.md", "Data/README.md", "Cli/README.md"];

    public static IEnumerable<string> Pages() => packages.Prepend("README.md")
        .Concat(Directory.EnumerateFiles(Repository.PathOf("docs"), "*.md", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Repository.Root, path)).Order());

    [TestCaseSource(nameof(Pages))]
    public void Links_lead_somewhere(string page)
    {
        var folder = Path.GetDirectoryName(Repository.PathOf(page))!;
        foreach (Match link in Link().Matches(File.ReadAllText(Repository.PathOf(page))))
        {
            var target = link.Groups[1].Value.Split('#')[0];
            if (target.Length > 0 && !target.Contains("://", StringComparison.Ordinal)) Assert.That(Path.Exists(Path.Combine(folder, target)), $"{page} links to {target}");
        }
    }

    [TestCaseSource(nameof(packages))]
    public void Readme_of_a_package_can_be_followed_outside_the_repository(string page) =>
        Assert.That(Link().Matches(File.ReadAllText(Repository.PathOf(page))).Select(link => link.Groups[1].Value), Has.All.StartsWith("https://"));

    [TestCaseSource(nameof(Pages))]
    public void Command_lines_are_such_as_the_tool_takes(string page)
    {
        foreach (Match line in CommandLine().Matches(File.ReadAllText(Repository.PathOf(page))))
        {
            // Placeholders are left out, and a folder that exists here replaces the reader's folders.
            var words = line.Groups[1].Value.Split('#')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries).TakeWhile(word => word is not ("..." or ">" or "|")).ToArray();
            for (var i = 0; i + 1 < words.Length; i++)
                if (words[i] == "--data" && !QuadEngine.Data.Datasets.Names.Contains(words[i + 1])) words[i + 1] = Path.GetTempPath();
            if (words.Contains("NAME") || words.Length == 1) continue;
            if (page == PluginPage && words.Contains("--plugin")) continue;      // PluginTests run these
            Assert.That(Tool.Parse(words, new Output(TextWriter.Null, TextWriter.Null, Terminal: null)).Errors.Select(error => error.Message), Is.Empty, $"{page}: quad {string.Join(' ', words)}");
        }
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    // A whole line, or code in a sentence.
    [GeneratedRegex(@"(?:^(?: {4})?|`)quad ([^`\n]+)", RegexOptions.Multiline)]
    private static partial Regex CommandLine();
}
