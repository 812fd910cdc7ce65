using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;

namespace QuadEngine.Tests.Operations;

/// <summary>
/// Runs all operations and kernels with narrower vectors than this machine has. The runtime chooses the vectors when it starts, so the checks run again in
/// separate processes, with fewer calls of each operation.
/// </summary>
[Parallelizable]
public class VectorWidthTests
{
    const string Expected = "QUADENGINE_EXPECTED_BITS";

    static int Bits => Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : Vector128.IsHardwareAccelerated ? 128 : 0;

    [TestCase(256, "DOTNET_EnableAVX512=0", "DOTNET_EnableAVX512F=0")]
    [TestCase(128, "DOTNET_EnableAVX=0", "DOTNET_EnableAVX2=0")]
    [TestCase(0, "DOTNET_EnableHWIntrinsic=0")]
    public void Every_operation_is_right_on_vectors_of(int bits, params string[] settings)
    {
        if (bits >= Bits) Assert.Ignore($"This process has vectors of {Bits} bits, so its other tests already use them.");

        var start = new ProcessStartInfo { RedirectStandardOutput = true, RedirectStandardError = true };
        start.FileName = Path.GetFileNameWithoutExtension(Environment.ProcessPath) is "dotnet" ? Environment.ProcessPath! : "dotnet";
        start.ArgumentList.Add(typeof(VectorWidthTests).Assembly.Location);
        start.ArgumentList.Add("--filter");
        start.ArgumentList.Add("FullyQualifiedName~Gradient_equals_finite_differences|FullyQualifiedName~Result_equals_the_formula_in_double|FullyQualifiedName~ElementwiseStructTests|FullyQualifiedName~The_cpu_is_right|FullyQualifiedName~This_process_has");
        foreach (var setting in settings) start.Environment[setting.Split('=')[0]] = setting.Split('=')[1];
        start.Environment["QUADENGINE_CALLS"] = "3";
        start.Environment["QUADENGINE_GEOMETRIES"] = "30";
        start.Environment[Expected] = bits.ToString(CultureInfo.InvariantCulture);

        using var child = Process.Start(start)!;
        var errors = child.StandardError.ReadToEndAsync();
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        Assert.That(child.ExitCode, Is.Zero, $"{string.Join(' ', settings)}:\n{output}\n{errors.Result}");
        Assert.That(output, Does.Match(@"succeeded: \d{3}"), "hundreds of tests ran");
    }

    [Test]
    public void This_process_has_the_vectors_it_was_asked_for()
    {
        if (Environment.GetEnvironmentVariable(Expected) is { } bits) Assert.That(Bits, Is.EqualTo(int.Parse(bits, CultureInfo.InvariantCulture)));
        TestContext.Out.WriteLine($"{Bits} bits");
    }
}
