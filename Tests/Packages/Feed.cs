using System.IO.Compression;
using System.Xml.Linq;
using QuadEngine.Cli.Export;

namespace QuadEngine.Tests.Packages;

/// <summary>All packages of the solution, packed from the build that the tests use, in a folder that Dispose deletes.</summary>
sealed class Feed : IDisposable
{
    /// <summary>A version that was never published, so that no cache has it.</summary>
    public const string Version = "0.2.0-tests";

    public static readonly string[] Libraries = ["QuadEngine", "QuadEngine.Gpu", "QuadEngine.Layers", "QuadEngine.Models", "QuadEngine.Data"];

    public Feed()
    {
        foreach (var project in new[] { "Engine/Core/QuadEngine", "Engine/Gpu/QuadEngine.Gpu", "Layers/QuadEngine.Layers", "Models/QuadEngine.Models", "Data/QuadEngine.Data", "Cli/Cli" })
            Pack(project, Folder);
    }

    public static void Pack(string project, string folder)
    {
        var (code, output) = NativeToolchain.Run("dotnet", "pack", Repository.PathOf($"{project}.csproj"), "--no-build", "-c", Repository.Configuration, "-o", folder, $"-p:PackageVersion={Version}", "-v", "quiet", "--nologo");
        Assert.That(code, Is.Zero, output);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-feed-").FullName;

    public string PathOf(string package, string extension = "nupkg") => Path.Combine(Folder, $"{package}.{Version}.{extension}");

    /// <summary>Returns the names of the files in a package, without those of the container itself.</summary>
    public string[] Files(string package, string extension = "nupkg")
    {
        using var archive = ZipFile.OpenRead(PathOf(package, extension));
        return [.. archive.Entries.Select(entry => entry.FullName).Where(name => !name.StartsWith("_rels", StringComparison.Ordinal) && !name.StartsWith("package/", StringComparison.Ordinal) && name != "[Content_Types].xml")];
    }

    public byte[] Read(string package, string file)
    {
        using var archive = ZipFile.OpenRead(PathOf(package));
        using var stream = archive.GetEntry(file)!.Open();
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>Returns the ids of the packages that a package requires.</summary>
    public string[] Dependencies(string package) =>
        [.. XDocument.Load(new MemoryStream(Read(package, $"{package}.nuspec"))).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => element.Attribute("id")!.Value).Order(StringComparer.Ordinal)];

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
