using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every kernel of GPUs gives what that of the CPU gives.</summary>
public class BackendParityTests
{
    [TestCaseSource(typeof(BackendCases), nameof(BackendCases.All))]
    public void OpenCl_equals_the_cpu(BackendCase testCase)
    {
        var device = TestDevices.OpenCl;
        for (var seed = 0; seed < 8; seed++) Parity.AssertSame(testCase, Device.Cpu, device, seed);
    }

    [TestCaseSource(typeof(BackendCases), nameof(BackendCases.All))]
    public void The_simulator_equals_the_cpu(BackendCase testCase) => Parity.AssertSame(testCase, Device.Cpu, TestDevices.Simulator, seed: 1, tiny: true);

    [Test]
    public void Every_method_of_the_backend_has_a_case() =>
        Assert.That(BackendCases.All.Select(testCase => testCase.Method).Distinct(), Is.EquivalentTo(typeof(Kernels).GetMethods().Where(method => method.IsAbstract).Select(method => method.Name)));
}
