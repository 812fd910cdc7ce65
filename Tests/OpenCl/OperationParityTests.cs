using QuadEngine.Tests.Gpu;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.OpenCl;

/// <summary>Whole operations, forward and backward: what operations do around the kernels is the same on every device.</summary>
[Parallelizable]
public class OperationParityTests
{
    [TestCaseSource(typeof(OperationCases), nameof(OperationCases.All))]
    public void The_simulator_equals_the_cpu(OperationCase operation) => Parity.AssertSame(operation, TestDevices.Simulator, seed: 1, tolerance: 2e-5);

    [TestCaseSource(typeof(OperationCases), nameof(OperationCases.All))]
    public void OpenCl_equals_the_cpu(OperationCase operation)
    {
        for (var seed = 2ul; seed < 5; seed++) Parity.AssertSame(operation, TestDevices.OpenCl, seed, tolerance: 1e-4);
    }
}
