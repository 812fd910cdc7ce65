using QuadEngine.Tests.Gpu;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.OpenCl;

/// <summary>Whole operations, forward and backward: what operations do around the kernels is the same on every device.</summary>
[Parallelizable]
public class OperationParityTests
{
    // Each method of its backend runs on the simulator in any case; of the operations one of eight, all where QUADENGINE_CALLS asks for more.
    static IEnumerable<OperationCase> OnTheSimulator => OperationCases.All().Where((_, i) => i % 8 == 0 || Environment.GetEnvironmentVariable("QUADENGINE_CALLS") is not null);

    [TestCaseSource(nameof(OnTheSimulator))]
    public void The_simulator_equals_the_cpu(OperationCase operation) => Parity.AssertSame(operation, TestDevices.Simulator, seed: 1, tolerance: 2e-5);

    [TestCaseSource(typeof(OperationCases), nameof(OperationCases.All))]
    public void OpenCl_equals_the_cpu(OperationCase operation)
    {
        for (var seed = 2ul; seed < 5; seed++) Parity.AssertSame(operation, TestDevices.OpenCl, seed, tolerance: 1e-4);
    }
}
