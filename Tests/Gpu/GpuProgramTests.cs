using System.Diagnostics;
using System.Text.Json;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>The program that checks and times a card (`Benchmarks -- gpu`), on the stub of the driver. No kernel runs there, so its measurements mean nothing.</summary>
public class GpuProgramTests
{
    string folder = null!;

    [SetUp]
    public void MakeFolder() => folder = Directory.CreateTempSubdirectory("quadengine-gpu-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(folder, recursive: true);

    [Test]
    public void A_kernel_that_fails_leaves_all_other_rows()
    {
        var (code, output) = Run(refused: "Pointwise<Unary<SiluOp>", "--parts", "check,peers", "--check", "Unary", "--seeds", "1", "--output", folder);
        Assert.That(code, Is.EqualTo(1), output);
        Assert.That(output.Length, Is.LessThan(15_000));
        Assert.That(output, Does.Contain("FAILED: 1").And.Contain("Pointwise<Unary<SiluOp>, Single>: this kernel does not compile for Stub H200").And.Contain("refused by the stub").And.Contain("Seconds by part"));

        JsonElement[] figures = [.. File.ReadLines(Path.Combine(folder, "results.jsonl")).Select(line => JsonDocument.Parse(line).RootElement)];
        (string, string)[] names = [.. figures.Select(figure => ($"{figure.GetProperty("Part")}: {figure.GetProperty("Item")}", figure.GetProperty("Name").GetString()!))];
        Assert.That(names, Is.SupersetOf(new[]
        {
            ("device: cuda:0", "description"), ("check: Unary, Float32", "failed"), ("check: UnaryBackward, Float32", "largest relative error"), ("peers: cuBLAS", "note"), ("peers: PyTorch", "note"), ("time: check", "seconds"),
        }));
    }

    [Test]
    public void It_ends_in_time_with_what_there_is()
    {
        var (code, output) = Run(refused: "", "--parts", "limits,check", "--seconds", "3", "--output", folder);
        Assert.That(output, Does.Contain("the 3 s were over").Or.Contain("Not reached"));
        Assert.That(code, Is.InRange(0, 1), "1 where it came as far as numbers of the stub that are wrong");
    }

    [TestCase("--parts", "limits,weather", "there is no part \"weather\"")]
    [TestCase("--device", "cuda:0/tf32", "give the device alone")]
    public void A_mistake_is_a_line(string option, string value, string message)
    {
        var (code, output) = Run(refused: "", option, value);
        Assert.That((code, output), Is.EqualTo((2, output)));
        Assert.That(output, Does.Contain(message).And.Not.Contain("   at "));
    }

    static (int Code, string Output) Run(string refused, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Repository.PathOf("Benchmarks", "bin", Repository.Configuration, "net10.0", "QuadEngine.Benchmarks.dll"), "gpu", .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment[NativeLibraries.CudaPathVariable] = StubDriver.Instance.File;
        if (refused.Length > 0) start.Environment["STUB_REFUSES"] = refused;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }
}
