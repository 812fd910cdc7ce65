using System.Runtime.InteropServices;
using QuadEngine.Models;

namespace QuadEngine.Cli.Export;

/// <summary>Builds a classifier as one native executable: a project of a single source file around the weights, compiled ahead of time.</summary>
static class NativeProgram
{
    const string Name = "classifier", Source = "Classifier.Program.cs";

    /// <summary>Processors since 2013 have these instructions. They double the width of the engine's vectors.</summary>
    const string DefaultInstructions = "x86-64-v3";

    static readonly string[] Libraries = ["QuadEngine", "QuadEngine.Layers", "QuadEngine.Models", "QuadEngine.Data", "MathNet.Numerics", "Google.Protobuf"];

    /// <summary>Writes the project: `dotnet publish -r RID -o DIR` in the folder then builds the program.</summary>
    /// <param name="plugins">The plugins that the network comes from. The program contains them.</param>
    public static void WriteProject(string folder, Classifier classifier, string? instructions, params IReadOnlyList<Plugin> plugins)
    {
        Directory.CreateDirectory(folder);
        if (Directory.EnumerateFileSystemEntries(folder).Any() && !File.Exists(Path.Combine(folder, $"{Name}.csproj")))
            throw new IOException($"{folder} is not empty, and holds no earlier project of this kind ({Name}.csproj); give --project a new folder.");
        classifier.Save(Path.Combine(folder, $"{Name}.safetensors"));
        using (var source = typeof(NativeProgram).Assembly.GetManifestResourceStream(Source)!)
            AtomicFile.Write(Path.Combine(folder, "Program.cs"), source.CopyTo);
        File.WriteAllText(Path.Combine(folder, $"{Name}.csproj"), Project(instructions, [.. plugins.SelectMany(plugin => plugin.Files).Distinct()]));
        File.WriteAllText(Path.Combine(folder, "Plugins.cs"), Registrations([.. plugins.SelectMany(plugin => plugin.Registrations)]));

        // Such files in the folders above belong to other projects.
        foreach (var file in new[] { "Directory.Build.props", "Directory.Build.targets", "Directory.Packages.props" })
            File.WriteAllText(Path.Combine(folder, file), "<Project />\n");
    }

    /// <summary>Compiles the project and puts the program into place.</summary>
    /// <exception cref="InvalidOperationException">The compiler or the linker failed; the message contains their output.</exception>
    public static void Build(string folder, string program)
    {
        var output = Path.Combine(folder, "out");
        var (code, text) = NativeToolchain.Run("dotnet", "publish", Path.Combine(folder, $"{Name}.csproj"), "-c", "Release", "-r", RuntimeInformation.RuntimeIdentifier, "-o", output, "--nologo");
        if (code != 0)
            throw new InvalidOperationException($"The native program could not be built. The compiler is the package runtime.{RuntimeInformation.RuntimeIdentifier}.Microsoft.DotNet.ILCompiler, "
                + $"which comes from the NuGet sources set up here (`dotnet nuget list source`).\n{Errors(text)}");

        var built = Path.Combine(output, OperatingSystem.IsWindows() ? $"{Name}.exe" : Name);
        using (var content = File.OpenRead(built)) AtomicFile.Write(program, content.CopyTo);
        if (!OperatingSystem.IsWindows() && new FileInfo(program).Length > 0) File.SetUnixFileMode(program, File.GetUnixFileMode(built));
    }

    static string Errors(string text)
    {
        var lines = text.Split('\n').Where(line => line.Contains("error", StringComparison.Ordinal)).Distinct().ToArray();
        return string.Join('\n', lines.Length > 0 ? lines.Take(10) : text.Split('\n').TakeLast(10));
    }

    // The plugins register before the program starts, because it finds the network by its name.
    static string Registrations(string[] classes) =>
        $$"""
        static class Plugins
        {
            [System.Runtime.CompilerServices.ModuleInitializer]
            internal static void Register()
            {
                {{string.Join("\n        ", classes.Select(name => $"new global::{name}().Register();"))}}
            }
        }

        """;

    static string Project(string? instructions, string[] plugins) =>
        $"""
        <Project Sdk="Microsoft.NET.Sdk">
          <PropertyGroup>
            <OutputType>Exe</OutputType>
            <TargetFramework>net10.0</TargetFramework>
            <Nullable>enable</Nullable>
            <ImplicitUsings>enable</ImplicitUsings>
            <PublishAot>true</PublishAot>
            <IlcInstructionSet>{instructions ?? (RuntimeInformation.ProcessArchitecture == Architecture.X64 ? DefaultInstructions : "")}</IlcInstructionSet>
            <InvariantGlobalization>true</InvariantGlobalization>
            <EventSourceSupport>false</EventSourceSupport>
            <StackTraceSupport>false</StackTraceSupport>
            <ConcurrentGarbageCollection>false</ConcurrentGarbageCollection>
            <TrimmerSingleWarn>false</TrimmerSingleWarn>
          </PropertyGroup>
          <ItemGroup>
            {string.Join("\n    ", Libraries.Select(library => Path.Combine(AppContext.BaseDirectory, $"{library}.dll")).Concat(plugins).Select(file => $"""<Reference Include="{file}" />"""))}
            <EmbeddedResource Include="{Name}.safetensors" LogicalName="{Name}.safetensors" />
            <RuntimeHostConfigurationOption Include="QuadEngine.Data.Sample" Value="false" Trim="true" />
          </ItemGroup>
        </Project>

        """;
}
