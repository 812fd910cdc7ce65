using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using QuadEngine.Cli.Export;
using QuadEngine.Data;
using QuadEngine.Tests.Images;

namespace QuadEngine.Tests.Export;

/// <summary>The network as a stand-alone program. Its build takes about half a minute, so all tests use one program.</summary>
[Category("Slow")]
[Parallelizable]
public class NativeProgramTests
{
    const long LargestProgram = 8_000_000;

    /// <summary>Fewer images if the kernels are not optimized.</summary>
    const int Images = Repository.Configuration == "Release" ? 1000 : 100;

    [Test]
    public void Program_is_small_and_judges_as_the_network_does()
    {
        if (NativeToolchain.Requirements().Where(requirement => requirement.Found is null).ToArray() is { Length: > 0 } missing)
            Assert.Ignore($"needs {string.Join(", ", missing.Select(requirement => requirement.Name))}");

        using var trained = new Trained();
        using var files = new ImageFiles();
        var program = trained.File("classify");
        ToolRun.Run("export", "--weights", trained.File("classifier.safetensors"), "--format", "native", "--output", program);
        Assert.That(new FileInfo(program).Length, Is.LessThan(LargestProgram));

        var inputs = Inputs(out var raw, trained);
        var lines = Run(program, "--logits", raw);
        Assert.That(lines, Has.Length.EqualTo(Images));
        for (var i = 0; i < Images; i++)
        {
            float[] got = [.. lines[i][(raw.Length + 2)..].Split(' ').Select(number => float.Parse(number, CultureInfo.InvariantCulture))], expected = trained.Classifier.Logits(inputs[i]);
            var scale = Math.Max(1f, expected.Max(MathF.Abs));
            Assert.That(got, Is.EqualTo(expected).Within(1e-4f * scale), $"image {i}");
            Assert.That(Array.IndexOf(got, got.Max()), Is.EqualTo(Array.IndexOf(expected, expected.Max())), $"image {i}");
        }

        var image = files.Write("shoe.png", new Picture(28, 28, 1, Trained.Test.Image(9).ToArray()));
        var predictions = trained.Classifier.Classify(Picture.Read(image, channels: 1));
        Assert.That(Run(program, image), Is.EqualTo([$"{image}: {string.Join(", ", predictions.Take(3))}"]));

        var (code, said) = NativeToolchain.Run(program, trained.File("none.png"));
        Assert.That((code, said), Is.EqualTo((1, $"Could not find file '{trained.File("none.png")}'.\n")), "words, and no key of a text that was left out");

        var watch = Stopwatch.StartNew();
        Run(program, image);
        TestContext.Out.WriteLine($"{new FileInfo(program).Length:N0} bytes, {watch.ElapsedMilliseconds} ms from start to end");
    }

    static float[][] Inputs(out string raw, Trained trained)
    {
        float[][] inputs = [.. Trained.Test.Take(Images).Batches(1).Select(batch =>
        {
            using var owned = batch;
            return batch.Input.ToArray();
        })];
        raw = trained.File("images.f32");
        using var file = File.Create(raw);
        foreach (var input in inputs) file.Write(MemoryMarshal.AsBytes(input.AsSpan()));
        return inputs;
    }

    static string[] Run(string program, params string[] arguments)
    {
        var (code, output) = NativeToolchain.Run(program, arguments);
        Assert.That(code, Is.Zero, output);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
