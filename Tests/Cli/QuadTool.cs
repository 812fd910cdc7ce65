using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using QuadEngine.Cli;

namespace QuadEngine.Tests.Cli;

/// <summary>Calls the tool in this process or in its own process, and has a folder that is deleted after the test.</summary>
sealed class QuadTool : IDisposable
{
    // If a shell starts tests in the background, the tests and all processes that they start ignore Ctrl-C.
    static QuadTool()
    {
        if (File.Exists(Status) && File.ReadLines(Status).Single(line => line.StartsWith("SigIgn:", StringComparison.Ordinal)) is var ignored && (Convert.ToUInt64(ignored.Split('\t')[1], 16) >> (SigInt - 1) & 1) == 1)
            _ = Signal(SigInt, 0);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("quadengine-cli-").FullName;

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    public byte[] Bytes(string name) => File.ReadAllBytes(PathOf(name));

    /// <summary>Runs a command line in this process, with the output that a pipe gets.</summary>
    public static Result Run(params string[] arguments)
    {
        var threads = Device.CpuThreads;
        using StringWriter text = new(), errors = new();
        try
        {
            return new(Tool.Run(arguments, new Output(text, errors, Terminal: null)), text.ToString(), errors.ToString());
        }
        finally
        {
            Device.CpuThreads = threads;
        }
    }

    /// <summary>Starts the real executable.</summary>
    public static Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet" ? host : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "quad.dll"));
        foreach (var argument in arguments) start.ArgumentList.Add(argument);
        return Process.Start(start)!;
    }

    /// <summary>Runs the real executable to its end.</summary>
    public static Result RunProcess(params string[] arguments)
    {
        using var process = Start(arguments);
        var errors = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new(process.ExitCode, text, errors.Result);
    }

    public static void Interrupt(Process process) => Assert.That(Kill(process.Id, SigInt), Is.Zero);

    const int SigInt = 2;
    const string Status = "/proc/self/status";

    [DllImport("libc", EntryPoint = "signal")]
    static extern nint Signal(int signal, nint handler);

    [DllImport("libc", EntryPoint = "kill")]
    static extern int Kill(int process, int signal);

    public sealed record Result(int Code, string Text, string Errors)
    {
        /// <summary>The last line of the output, as JSON.</summary>
        public JsonElement Json => JsonDocument.Parse(Text.TrimEnd().Split('\n')[^1]).RootElement;
    }
}
