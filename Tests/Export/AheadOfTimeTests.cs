using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using QuadEngine.Cli.Export;

namespace QuadEngine.Tests.Export;

/// <summary>
/// The whole libraries compile ahead of time without a warning, whether a program calls their parts or not. (The analyzers of the build see only
/// our code; this test also sees the code that ours calls.)
/// </summary>
[Category("Slow")]
[Parallelizable]
public class AheadOfTimeTests
{
    static readonly string[] Libraries = ["QuadEngine", "QuadEngine.Layers", "QuadEngine.Data", "QuadEngine.Models"], Others = ["MathNet.Numerics", "Google.Protobuf"];

    [Test]
    public void Libraries_are_free_of_trim_and_aot_warnings()
    {
        if (NativeToolchain.Requirements().Where(requirement => requirement.Found is null).ToArray() is { Length: > 0 } missing)
            Assert.Ignore($"needs {string.Join(", ", missing.Select(requirement => requirement.Name))}");

        var folder = Directory.CreateTempSubdirectory("quadengine-aot-").FullName;
        try
        {
            File.WriteAllText(Path.Combine(folder, "Program.cs"), "System.Console.WriteLine();");
            File.WriteAllText(Path.Combine(folder, "whole.csproj"), $"""
                <Project Sdk="Microsoft.NET.Sdk">
                  <PropertyGroup>
                    <OutputType>Exe</OutputType>
                    <TargetFramework>net10.0</TargetFramework>
                    <PublishAot>true</PublishAot>
                    <TrimmerSingleWarn>false</TrimmerSingleWarn>
                    <!-- The warnings are the same, a quarter sooner. -->
                    <Optimize>false</Optimize>
                  </PropertyGroup>
                  <ItemGroup>
                    {string.Concat(Libraries.Concat(Others).Select(name => $"""<Reference Include="{Path.Combine(AppContext.BaseDirectory, name)}.dll" />"""))}
                    {string.Concat(Libraries.Select(name => $"""<TrimmerRootAssembly Include="{name}" />"""))}
                  </ItemGroup>
                </Project>
                """);
            var (code, output) = NativeToolchain.Run("dotnet", "publish", Path.Combine(folder, "whole.csproj"), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "-o", Path.Combine(folder, "out"), "--nologo");
            Assert.That(code, Is.Zero, output);
            Assert.That(Regex.Matches(output, @".*\bIL[23]\d{3}\b.*").Select(match => match.Value).Distinct(), Is.Empty);
            Assert.That(Directory.EnumerateFiles(Path.Combine(folder, "out"), "whole*").Max(file => new FileInfo(file).Length), Is.GreaterThan(8_000_000), "all of the libraries should be inside");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
