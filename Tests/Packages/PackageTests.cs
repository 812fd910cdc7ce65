using System.Reflection.PortableExecutable;

namespace QuadEngine.Tests.Packages;

/// <summary>The content of the packages, and a program that uses only the packages. Packing and building take about half a minute.</summary>
[Category("Slow")]
public class PackageTests
{
    Feed feed = null!;

    [OneTimeSetUp]
    public void Pack() => feed = new Feed();

    [OneTimeTearDown]
    public void Delete() => feed?.Dispose();

    [TestCaseSource(typeof(Feed), nameof(Feed.Libraries))]
    public void Library_has_assembly_documentation_readme_licence_icon_and_symbols(string package)
    {
        Assert.That(feed.Files(package), Is.SupersetOf((string[])[$"lib/net10.0/{package}.dll", $"lib/net10.0/{package}.xml", "README.md", "LICENSE", "icon.png", $"{package}.nuspec"]));
        Assert.That(feed.Files(package, "snupkg"), Does.Contain($"lib/net10.0/{package}.pdb"));
    }

    [TestCaseSource(typeof(Feed), nameof(Feed.Libraries))]
    public void Assembly_is_managed_and_deterministic(string package)
    {
        using var assembly = new PEReader(new MemoryStream(feed.Read(package, $"lib/net10.0/{package}.dll")));
        Assert.That(assembly.PEHeaders.CorHeader!.Flags.HasFlag(CorFlags.ILOnly));
        Assert.That(assembly.ReadDebugDirectory().Select(entry => entry.Type), Does.Contain(DebugDirectoryEntryType.Reproducible));
    }

    [Test]
    public void Readme_of_a_package_is_its_own([ValueSource(nameof(All))] string package) =>
        Assert.That(System.Text.Encoding.UTF8.GetString(feed.Read(package, "README.md")), Does.StartWith(package == "QuadEngine.Tool" ? "# quad\n" : $"# {package}\n"));

    [TestCase("QuadEngine")]
    [TestCase("QuadEngine.Gpu", "ILGPU", "ILGPU.Algorithms", "QuadEngine")]
    [TestCase("QuadEngine.Layers", "MathNet.Numerics", "QuadEngine")]
    [TestCase("QuadEngine.Data", "QuadEngine")]
    [TestCase("QuadEngine.Models", "Google.Protobuf", "QuadEngine.Data", "QuadEngine.Layers")]
    public void Package_depends_on_what_the_design_says(string package, params string[] expected) =>
        Assert.That(feed.Dependencies(package), Is.EqualTo(expected));

    [Test]
    public void No_package_has_a_native_file([ValueSource(nameof(All))] string package)
    {
        var files = feed.Files(package);
        Assert.That(files.Where(file => file.StartsWith("runtimes/", StringComparison.Ordinal) || file.EndsWith(".so", StringComparison.Ordinal) || file.EndsWith(".dylib", StringComparison.Ordinal)), Is.Empty);
        foreach (var file in files.Where(file => file.EndsWith(".dll", StringComparison.Ordinal)))
        {
            using var assembly = new PEReader(new MemoryStream(feed.Read(package, file)));
            Assert.That(assembly.HasMetadata, file);
        }
        TestContext.Out.WriteLine($"{package}: {new FileInfo(feed.PathOf(package)).Length:N0} bytes");
    }

    [Test]
    public void Packing_again_gives_the_same_bytes()
    {
        var again = Directory.CreateTempSubdirectory("quadengine-again-").FullName;
        try
        {
            Feed.Pack("Layers/QuadEngine.Layers", again);
            foreach (var extension in new[] { "nupkg", "snupkg" })
                Assert.That(File.ReadAllBytes(Path.Combine(again, $"QuadEngine.Layers.{Feed.Version}.{extension}")), Is.EqualTo(File.ReadAllBytes(feed.PathOf("QuadEngine.Layers", extension))), extension);
        }
        finally
        {
            Directory.Delete(again, recursive: true);
        }
    }

    [Test]
    public void Program_outside_the_solution_trains_saves_loads_and_predicts()
    {
        using var consumer = new Consumer(feed);
        Assert.That(consumer.Run(), Is.EqualTo(["trained 5 steps", "the file says the same", "predicted one of 10: True"]));
        Assert.That(Directory.EnumerateFiles(consumer.Output, "*", SearchOption.AllDirectories).Where(file => Path.GetExtension(file) is ".so" or ".dylib"), Is.Empty);
    }

    static IEnumerable<string> All() => [.. Feed.Libraries, "QuadEngine.Tool"];
}
