namespace QuadEngine.Tests.Operations;

/// <summary>Whole operations, forward and backward: the code around the kernels gives the same results on every device.</summary>
[Parallelizable]
public class DeviceOperationTests
{
    // Other tests run each method of the backend on these devices. Here the simulator runs one of eight operations and OpenCL one of two, or all if QUADENGINE_CALLS asks for more.
    static IEnumerable<OperationCase> OnTheSimulator => OneOf(8);

    static IEnumerable<OperationCase> OnOpenCl => OneOf(2);

    static IEnumerable<OperationCase> OneOf(int several) => OperationCases.All().Where((_, i) => i % several == 0 || Environment.GetEnvironmentVariable("QUADENGINE_CALLS") is not null);

    [TestCaseSource(nameof(OnTheSimulator))]
    public void The_simulator_equals_the_cpu(OperationCase operation) => AssertSame(operation, TestDevices.Simulator, seed: 1, tolerance: 2e-5);

    [TestCaseSource(nameof(OnOpenCl))]
    public void OpenCl_equals_the_cpu(OperationCase operation)
    {
        for (var seed = 2ul; seed < 5; seed++) AssertSame(operation, TestDevices.OpenCl, seed, tolerance: 1e-4);
    }

    /// <summary>Checks that the result and the gradients of a call equal those of the CPU.</summary>
    public static void AssertSame(OperationCase operation, Device device, ulong seed, double tolerance)
    {
        var call = operation.Draw(new Dice(seed));
        var (expected, got) = (Run(call, Device.Cpu), Run(call, device));
        for (var i = 0; i < expected.Length; i++)
            Assert.That(got[i], Is.EqualTo(expected[i]).Using<float>((a, b) => Math.Abs(a - b) <= tolerance * (1 + Math.Abs(b))),
                $"{operation}{call}: {(i == 0 ? "the result" : $"the gradient of input {i - 1}")}");
    }

    static float[]?[] Run(OperationCall call, Device device)
    {
        using var scope = new TensorScope();
        var leaves = call.Inputs.Select(input => input.To(device)).ToArray();
        foreach (var leaf in leaves) leaf.RequiresGrad = true;
        var y = call.Apply(leaves);
        if (y.RequiresGrad) y.Backward(Tensor.Uniform(y.Shape, -1f, 1f, new Generator(1)).To(y.Device));
        return [y.ToArray(), .. leaves.Select(leaf => leaf.Grad?.ToArray())];
    }
}
