using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;
using QuadEngine.Cli;
using QuadEngine.Cli.Export;
using QuadEngine.Models;
using QuadEngine.Tests.Documentation;
using QuadEngine.Tests.Export;

namespace QuadEngine.Tests.Cli;

/// <summary>The tool uses Tests/Plugin, an assembly outside the engine. Its registrations stay in a process, so the tool always runs in its own process.</summary>
[Parallelizable]
public sealed class PluginTests : ToolTests
{
    static readonly string built = Repository.PathOf("Tests", "Plugin", "bin", Repository.Configuration, "net10.0");

    static readonly string shapes = Path.Combine(built, "Shapes.dll");

    static readonly string[] training =
    [
        "--model", "shape-net", "--width", "6", "--pooled", "--neuron", "gated", "--gate-deviation", "0.2", "--data", "shapes", "--count", "96", "--optimizer", "lion", "--lr", "0.01",
        "--schedule", "sawtooth", "--teeth", "3", "--augment", "erase", "--side", "3", "--epochs", "8", "--batch", "16", "--checkpoint-steps", "1",
    ];

    [Test]
    public void What_it_registers_is_trained_killed_resumed_judged_and_exported()
    {
        var whole = Run([.. training, "--threads", "2", "--output", Quad.PathOf("whole")], "train");
        Assert.That(whole.Text, Does.StartWith("shape-net-gated: ").And.Contain("shapes: 96 training and 24 test images [8, 8, 1]"));
        Assert.That(whole.Text, Does.Contain($"quad --plugin {shapes} eval --weights"));
        var config = File.ReadAllText(Quad.PathOf("whole/config.json"));
        foreach (var name in new[] { "shape-net", "gated", "shapes", "lion", "sawtooth", "erase" }) Assert.That(config, Does.Match($"\"name\": \"{name}\",\\s+\"assembly\": \"Shapes\","));
        Assert.That(config, Does.Match("\"pooled\": true,\\s+\"width\": 6").And.Contain("\"teeth\": 3").And.Contain("\"lion-beta\": 0.9"), "what was given, and what was not");

        using (var process = QuadTool.Start(["--plugin", shapes, "train", .. training, "--threads", "1", "--output", Quad.PathOf("killed")]))
        {
            while (!File.Exists(Quad.PathOf("killed/last.safetensors")) && !process.HasExited) Thread.Sleep(1);
            process.Kill();
            process.WaitForExit();
        }

        Run(["--resume", Quad.PathOf("killed")], "train");
        foreach (var file in new[] { "last.safetensors", "best.safetensors" })
            Assert.That(Quad.Bytes($"killed/{file}"), Is.EqualTo(Quad.Bytes($"whole/{file}")), file);

        var judged = Run(["--weights", Quad.PathOf("killed"), "--json"], "eval");
        Assert.That(judged.Json.GetProperty("accuracy").GetDouble(), Is.GreaterThan(60), "it learns");
        Run(["--weights", Quad.PathOf("killed"), "--format", "onnx", "--output", Quad.PathOf("net.onnx")], "export");
        Assert.That(File.Exists(Quad.PathOf("net.onnx")));

        // The file is used without its run and without the assembly.
        File.Move(Quad.PathOf("killed/best.safetensors"), Quad.PathOf("alone.safetensors"));
        foreach (var line in (string[][])[["eval", "--weights", Quad.PathOf("alone.safetensors"), "--data", "mnist"], ["train", "--resume", Quad.PathOf("killed")]])
        {
            var without = QuadTool.RunProcess(line);
            Assert.That(without.Code, Is.EqualTo(1));
            Assert.That(without.Errors, Does.Match("no (network|neuron) \"(shape-net|gated)\"").And.Contain("from the assembly Shapes: give the tool --plugin Shapes.dll").And.Not.Contain("   at "));
        }
    }

    [Test]
    public void Help_shows_its_names_and_its_options_with_what_they_take()
    {
        var help = QuadTool.RunProcess("train", "--help", "--plugin", shapes);
        Assert.That(help.Code, Is.Zero, help.Errors);
        var words = string.Join(' ', help.Text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Assert.That(words, Does.Contain("--width <N> Channels of the first layer: a whole number from 1 to 1024. Default: 8. For shape-net."));
        Assert.That(words, Does.Contain("--pooled Halve the images between the layers. For shape-net."));
        Assert.That(words, Does.Contain("lion the sign of the momentum (Chen et al. 2023)").And.Contain("0.001 for lion").And.Contain("shapes rows, columns and diagonals of 8 x 8 pixels"));
        foreach (var option in new[] { "--gate-deviation", "--count", "--lion-beta", "--teeth", "--side" }) Assert.That(words, Does.Contain($"{option} <N>"));
    }

    [Test]
    public void The_command_lines_of_the_guide_run()
    {
        var lines = File.ReadLines(Repository.PathOf(DocumentationTests.PluginPage)).Where(line => line.StartsWith("    quad --plugin", StringComparison.Ordinal)).ToArray();
        Assert.That(lines, Is.Not.Empty);
        foreach (var line in lines)
        {
            string[] words = [.. line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(word => word switch { "Shapes.dll" => shapes, "runs/shapes" => Quad.PathOf("run"), _ => word })];
            var result = QuadTool.RunProcess(words);
            Assert.That(result.Code, Is.Zero, $"{line}: {result.Errors}");
        }
    }

    [Test]
    public void A_name_that_is_taken_is_refused()
    {
        File.Copy(shapes, Quad.PathOf("Shapes.dll"));
        File.Copy(Path.Combine(built, "System.Numerics.Tensors.dll"), Quad.PathOf("System.Numerics.Tensors.dll"));
        var twice = QuadTool.RunProcess("--plugin", shapes, "--plugin", Quad.PathOf("Shapes.dll"), "--plugin", shapes, "doctor");
        Assert.That(twice.Code, Is.EqualTo(1));
        Assert.That(twice.Errors, Does.Contain(Quad.PathOf("Shapes.dll")).And.Contain("the network \"shape-net\" of Shapes cannot be registered, since Shapes has registered one of that name"));
    }

    [Test]
    public void A_file_that_is_missing_or_no_assembly_is_refused()
    {
        File.WriteAllText(Quad.PathOf("text.dll"), "no assembly");
        Refuses(Quad.PathOf("none.dll"), "there is no file");
        Refuses(Quad.PathOf("text.dll"), "is not a .NET assembly");
        Refuses(Quad.Folder, "there is no file");
    }

    [Test]
    public void An_assembly_that_registers_nothing_says_what_it_lacks() => Refuses(Path.Combine(built, "System.Numerics.Tensors.dll"), "no public class", "implements QuadEngine.IPlugin");

    [Test]
    public void An_assembly_whose_own_packages_are_not_beside_it_names_them()
    {
        WriteAssembly(Quad.PathOf("Other.dll"), "Nowhere", new(1, 2, 0, 0));
        Refuses(Quad.PathOf("Other.dll"), "needs Nowhere 1.2.0.0", "not beside it", "EnableDynamicLoading");
    }

    [Test]
    public void An_assembly_for_another_version_of_the_engine_names_both()
    {
        var own = typeof(Tensor).Assembly.GetName().Version!.ToString(2);
        WriteAssembly(Quad.PathOf("Other.dll"), "QuadEngine", new(9, 7, 0, 0));
        Refuses(Quad.PathOf("Other.dll"), "was built for QuadEngine 9.7", $"this is QuadEngine {own}");
    }

    [Test]
    public void An_option_of_its_own_that_a_command_has_already_is_refused_by_name()
    {
        var root = new System.CommandLine.RootCommand { new System.CommandLine.Option<int>("--epochs") };
        root.Add(new System.CommandLine.Command("train") { new System.CommandLine.Option<int>("--width"), new System.CommandLine.Option<int>("--lr", "--width") });
        Assert.That(() => Tool.CheckNames(root, []), Throws.InvalidOperationException.With.Message.Contains("--width").And.Message.Contains("`quad train`"));
    }

    [Test]
    public void The_project_of_a_native_program_has_the_assembly_and_lets_it_register_first()
    {
        using var trained = new Trained("resnet8");
        NativeProgram.WriteProject(Quad.PathOf("native"), trained.Classifier, null, new Plugin("Shapes", ["Shapes.ShapesPlugin"], ["/place/Shapes.dll", "/place/Needed.dll"]));
        Assert.That(File.ReadAllText(Quad.PathOf("native/classifier.csproj")), Does.Contain("<Reference Include=\"/place/Shapes.dll\" />").And.Contain("<Reference Include=\"/place/Needed.dll\" />"));
        Assert.That(File.ReadAllText(Quad.PathOf("native/Plugins.cs")), Does.Contain("ModuleInitializer").And.Contain("new global::Shapes.ShapesPlugin().Register();"));
    }

    static QuadTool.Result Run(string[] rest, string command)
    {
        var result = QuadTool.RunProcess(["--plugin", shapes, command, .. rest]);
        Assert.That(result.Code, Is.Zero, result.Errors);
        return result;
    }

    // The tool refuses the assembly before it registers anything, so this process does not change.
    static void Refuses(string file, params string[] says)
    {
        var result = QuadTool.Run("--plugin", file, "doctor");
        Assert.That(result.Code, Is.EqualTo(1));
        Assert.That(result.Errors, Does.StartWith("quad: --plugin: ").And.Contain(file));
        foreach (var text in says) Assert.That(result.Errors, Does.Contain(text));
        Assert.That(result.Text, Is.Empty);
    }

    /// <summary>An assembly without types that refers to another.</summary>
    static void WriteAssembly(string path, string needed, Version version)
    {
        var metadata = new MetadataBuilder();
        var name = metadata.GetOrAddString(Path.GetFileNameWithoutExtension(path));
        metadata.AddModule(0, metadata.GetOrAddString(Path.GetFileName(path)), metadata.GetOrAddGuid(new Guid(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)), default, default);
        metadata.AddAssembly(name, new Version(1, 0, 0, 0), default, default, default, System.Reflection.AssemblyHashAlgorithm.None);
        metadata.AddAssemblyReference(metadata.GetOrAddString(needed), version, default, default, default, default);
        metadata.AddTypeDefinition(default, default, metadata.GetOrAddString("<Module>"), default, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));
        var blob = new BlobBuilder();
        new ManagedPEBuilder(PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(metadata), new BlobBuilder()).Serialize(blob);
        File.WriteAllBytes(path, blob.ToArray());
    }
}
