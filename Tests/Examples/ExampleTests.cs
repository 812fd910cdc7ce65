using System.Diagnostics;
using QuadEngine.Cli.Export;
using QuadEngine.Models;
using QuadEngine.Tests.Documentation;
using QuadEngine.Tests.Export;
using QuadEngine.Tests.Formats;

namespace QuadEngine.Tests.Examples;

/// <summary>Every file of Examples/ runs unchanged and prints what it promises.</summary>
[Category("Slow")]
public class ExampleTests
{
    [Test]
    public void Xor_is_learned() => Assert.That(RunByDotnet("xor.cs").Last(), Does.EndWith("answers 0 1 1 0"));

    [Test]
    public void Clothes_are_learned_in_forty_lines()
    {
        Assert.That(File.ReadLines(Repository.PathOf("Examples", "fashion.cs")).Count(), Is.LessThanOrEqualTo(40));
        var accuracy = Run("fashion.cs", "1", "640").Last().Split(' ')[2];
        Assert.That(double.Parse(accuracy, System.Globalization.CultureInfo.InvariantCulture), Is.GreaterThan(25), "ten classes by chance are 10 %");
    }

    [Test]
    public void New_operations_have_the_right_gradients() => Assert.That(Run("new-operation.cs").Last(), Is.EqualTo("both gradients are correct"));

    [Test]
    public void Gpu_kernel_sums_rows() => Assert.That(Run("gpu-kernel.cs").Single(), Does.Contain("100 sums of 1000 numbers on simulator"));

    [Test]
    public void PyTorch_checkpoint_is_loaded_and_handed_on()
    {
        using var trained = new Trained("resnet8");
        var network = ResNet.Cifar(20);
        File.WriteAllBytes(trained.File("resnet20.th"), AsTorchSaves(network.StateDictionary()));
        var lines = Run("load-pytorch.cs", trained.File("resnet20.th"), trained.Folder);
        Assert.That(lines[0], Is.EqualTo("conv1.weight [16, 3, 3, 3]"));

        var handedOn = WeightFile.Read(trained.File("resnet20.safetensors"));
        foreach (var (name, tensor) in network.StateDictionary()) Assert.That(handedOn[name].Values, Is.EqualTo(tensor.Values), name);
        Assert.That(new FileInfo(trained.File("resnet20.onnx")).Length, Is.GreaterThan(sizeof(float) * network.ParameterCount * 9 / 10));
    }

    static readonly string[] All = ["xor.cs", "fashion.cs", "new-operation.cs", "gpu-kernel.cs", "load-pytorch.cs", "regression.cs", "labels.cs", "segmentation.cs"];

    [Test]
    public void Every_example_is_tested() => Assert.That(Directory.EnumerateFiles(Repository.PathOf("Examples"), "*.cs").Select(Path.GetFileName), Is.EquivalentTo(All));

    [TestCase("regression.cs", "400")]
    [TestCase("labels.cs", "400")]
    [TestCase("segmentation.cs", "100")]
    public void Task_that_is_killed_goes_on_with_the_bits_of_one_that_was_not(string example, string images)
    {
        Assert.That(File.ReadLines(Repository.PathOf("Examples", example)).Count(), Is.LessThan(40));
        var folder = Directory.CreateTempSubdirectory("quadengine-example-").FullName;
        try
        {
            var program = Programs.Write(File.ReadAllText(Repository.PathOf("Examples", example)), Path.Combine(folder, "program"));
            var (whole, killed) = (Path.Combine(folder, "whole"), Path.Combine(folder, "killed"));
            using (var process = Start(program, whole)) process.WaitForExit();
            using (var process = Start(program, killed))
            {
                // A checkpoint is written after 10 steps, some steps before the end.
                SpinWait.SpinUntil(() => File.Exists(Path.Combine(killed, "last.safetensors")) || process.HasExited);
                process.Kill();
                process.WaitForExit();
            }

            using (var process = Start(program, killed)) process.WaitForExit();
            foreach (var file in (string[])["last.safetensors", "best.safetensors"])
                Assert.That(File.ReadAllBytes(Path.Combine(killed, file)), Is.EqualTo(File.ReadAllBytes(Path.Combine(whole, file))), file);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Process Start(string program, string run) => Process.Start(new ProcessStartInfo("dotnet", [program, run, "3", images]) { RedirectStandardOutput = true })!;
    }

    // The others are compiled by the tests, which takes a tenth of the time.
    [Test]
    public void Project_that_an_example_names_is_there([ValueSource(nameof(All))] string example)
    {
        var named = File.ReadLines(Repository.PathOf("Examples", example)).Where(line => line.StartsWith("#:project ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]);
        Assert.That(named.Select(project => File.Exists(Repository.PathOf("Examples", project))), Is.Not.Empty.And.All.True);
    }

    static string[] RunByDotnet(string example)
    {
        var (code, output) = NativeToolchain.Run("dotnet", ["run", "-c", Repository.Configuration, Repository.PathOf("Examples", example)]);
        Assert.That(code, Is.Zero, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    static string[] Run(string example, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("quadengine-example-").FullName;
        try
        {
            var (code, output) = NativeToolchain.Run("dotnet", [Programs.Write(File.ReadAllText(Repository.PathOf("Examples", example)), folder), .. arguments]);
            Assert.That(code, Is.Zero, output);
            return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    static byte[] AsTorchSaves(IReadOnlyDictionary<string, HostTensor> state)
    {
        var entries = state.Select((entry, i) => (entry.Key, Storage: $"{i}", Tensor: entry.Value)).ToArray();
        return TorchBytes.Zip(
            TorchBytes.StateDict([.. entries.Select(entry => (entry.Key, (object?)TorchBytes.Tensor(TorchBytes.Storage(entry.Storage, "FloatStorage", entry.Tensor.Values.Length), 0, entry.Tensor.Shape, ((Shape)entry.Tensor.Shape).Strides())))]),
            [.. entries.Select(entry => (entry.Storage, TorchBytes.Bytes(entry.Tensor.Values)))]);
    }
}
