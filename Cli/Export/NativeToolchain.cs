using System.Diagnostics;
using System.Runtime.InteropServices;

namespace QuadEngine.Cli.Export;

/// <summary>Something that the build of a native program needs.</summary>
/// <param name="Name">The name of the requirement.</param>
/// <param name="Found">Its path or version; null if it is missing.</param>
/// <param name="HowToGet">What to do if it is missing.</param>
sealed record Requirement(string Name, string? Found, string HowToGet);

/// <summary>Finds what NativeAOT needs on this machine besides this tool.</summary>
static class NativeToolchain
{
    const int SdkMajor = 10;

    /// <summary>The .NET SDK, a linker and, on Linux, zlib's development files. (The compiler itself is a package that the SDK fetches.)</summary>
    public static IReadOnlyList<Requirement> Requirements()
    {
        var sdk = new Requirement($".NET SDK {SdkMajor}", Sdk(), $"Install it from https://dot.net/download and make sure that `dotnet` is on the PATH.");
        if (OperatingSystem.IsWindows())
            return [sdk, new("Visual C++ linker", VisualStudioLinker(), "Install Visual Studio's Build Tools with the workload \"Desktop development with C++\".")];

        var linker = OnPath("clang") ?? OnPath("gcc");
        return
        [
            sdk,
            new("linker", linker, OperatingSystem.IsMacOS() ? "Run `xcode-select --install`." : "Install clang or gcc, e.g. `apt install clang`."),
            .. OperatingSystem.IsLinux() ? [new Requirement("zlib", linker is not null && Links(linker, "-lz") ? "libz" : null, "Install its development files, e.g. `apt install zlib1g-dev`.")] : Array.Empty<Requirement>(),
        ];
    }

    /// <summary>Throws an exception that names everything that is missing.</summary>
    /// <exception cref="InvalidOperationException">Something is missing.</exception>
    public static void Check(IReadOnlyList<Requirement> requirements)
    {
        var missing = requirements.Where(requirement => requirement.Found is null).Select(requirement => $"\n  {requirement.Name}: {requirement.HowToGet}").ToArray();
        if (missing.Length > 0) throw new InvalidOperationException($"A native program cannot be built here; missing:{string.Concat(missing)}");
    }

    /// <summary>Runs a program to its end. Returns its exit code and its output.</summary>
    public static (int Code, string Output) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    static string? Sdk() => OnPath("dotnet") is { } dotnet && Run(dotnet, "--list-sdks") is (0, var list)
        ? list.Split('\n').Select(line => line.Split(' ')[0]).LastOrDefault(version => int.TryParse(version.Split('.')[0], out var major) && major >= SdkMajor)
        : null;

    static string? VisualStudioLinker()
    {
        var locator = Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.ProgramFilesX86), "Microsoft Visual Studio", "Installer", "vswhere.exe");
        if (!File.Exists(locator)) return null;
        var (_, found) = Run(locator, "-latest", "-products", "*", "-requires", "Microsoft.VisualStudio.Component.VC.Tools.x86.x64", "-property", "installationPath");
        return found.Trim() is { Length: > 0 } path ? path : null;
    }

    static bool Links(string linker, string library)
    {
        var source = Path.GetTempFileName();
        try
        {
            File.WriteAllText(source, "int main(void) { return 0; }\n");
            return Run(linker, "-x", "c", source, "-o", source + ".out", library).Code == 0;
        }
        finally
        {
            File.Delete(source);
            File.Delete(source + ".out");
        }
    }

    static string? OnPath(string program) => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        .Select(folder => Path.Combine(folder, OperatingSystem.IsWindows() ? program + ".exe" : program)).FirstOrDefault(File.Exists);
}
