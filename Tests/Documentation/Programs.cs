using System.Collections.Immutable;
using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using QuadEngine.Data;
using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Documentation;

/// <summary>Compiles console programs as a user's project does: .NET's implicit usings, nullable on, the packages of the engine.</summary>
static class Programs
{
    /// <summary>The namespaces that every console project uses implicitly.</summary>
    public static readonly string[] ImplicitUsings = ["System", "System.Collections.Generic", "System.IO", "System.Linq", "System.Net.Http", "System.Threading", "System.Threading.Tasks"];

    /// <summary>The packages that a program may refer to.</summary>
    public static readonly Assembly[] Packages = [.. new[] { typeof(Tensor), typeof(Linear), typeof(ImageDataset), typeof(ResNet), typeof(GpuDevices) }.Select(type => type.Assembly)];

    static int programs;

    static readonly CSharpParseOptions language = new CSharpParseOptions(LanguageVersion.Latest).WithFeatures([new("FileBasedProgram", "true")]);

    static readonly ImmutableArray<MetadataReference> references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => path.StartsWith(Path.GetDirectoryName(typeof(object).Assembly.Location)!, StringComparison.Ordinal) || Path.GetFileName(path).StartsWith("ILGPU", StringComparison.Ordinal))
            .Concat(Packages.Select(package => package.Location)).Distinct().Select(path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>Returns the errors of the compiler for a program, each with its line. Statements and types may have any order.</summary>
    public static string[] Errors(string program) =>
        [.. Compile(program).GetDiagnostics().Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)
            .Select(diagnostic => $"line {diagnostic.Location.GetLineSpan().StartLinePosition.Line + 1}: {diagnostic.GetMessage(null)}")];

    /// <summary>Runs a program that compiles in this process, and throws what the program throws.</summary>
    public static void Run(string program)
    {
        using var image = new MemoryStream();
        Compile(program).Emit(image);
        var entry = Assembly.Load(image.ToArray()).EntryPoint!;
        entry.Invoke(null, BindingFlags.DoNotWrapExceptions, null, [Array.Empty<string>()], null);
    }

    /// <summary>Writes a program to a file, with the packages beside it. <c>dotnet FILE</c> runs it in its own process.</summary>
    /// <param name="program">The program, which compiles.</param>
    /// <param name="folder">The folder for the file and the packages.</param>
    public static string Write(string program, string folder)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, "program.dll");
        var result = Compile(program).Emit(path);
        if (!result.Success) throw new AssertionException(string.Join('\n', Errors(program)));
        foreach (var file in Directory.EnumerateFiles(AppContext.BaseDirectory, "*.dll").Where(file => Path.GetFileName(file) is var name && (name.StartsWith("QuadEngine", StringComparison.Ordinal) || name.StartsWith("ILGPU", StringComparison.Ordinal) || name.StartsWith("MathNet", StringComparison.Ordinal) || name.StartsWith("Google", StringComparison.Ordinal))))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        File.Copy(Path.Combine(AppContext.BaseDirectory, $"{typeof(Programs).Assembly.GetName().Name}.runtimeconfig.json"), Path.ChangeExtension(path, ".runtimeconfig.json"), overwrite: true);
        return path;
    }

    static CSharpCompilation Compile(string program)
    {
        var root = CSharpSyntaxTree.ParseText(program, language).GetCompilationUnitRoot();
        var (statements, types) = (root.Members.OfType<GlobalStatementSyntax>().ToArray(), root.Members.Where(member => member is not GlobalStatementSyntax));
        var text = root.WithMembers([.. statements, .. types]).ToFullString();
        var usings = string.Concat(ImplicitUsings.Select(name => $"global using {name};\n"));
        return CSharpCompilation.Create($"program{Interlocked.Increment(ref programs)}", [CSharpSyntaxTree.ParseText(usings, language), CSharpSyntaxTree.ParseText(text, language)], references,
            new CSharpCompilationOptions(statements.Length > 0 ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
    }
}
