using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>Whole operations, forward and backward, on the simulator and on the CPU: what operations do around the kernels is the same there.</summary>
public class OperationParityTests
{
    [TestCaseSource(typeof(OperationCases), nameof(OperationCases.All))]
    public void The_simulator_equals_the_cpu(OperationCase operation)
    {
        var call = operation.Draw(new Dice(1));
        var (expected, got) = (Run(call, Device.Cpu), Run(call, TestDevices.Simulator));
        for (var i = 0; i < expected.Length; i++)
            Assert.That(got[i], Is.EqualTo(expected[i]).Using<float>((a, b) => Math.Abs(a - b) <= 2e-5 * (1 + Math.Abs(b))),
                $"{operation}{call}: {(i == 0 ? "the result" : $"the gradient of input {i - 1}")}");
    }

    static float[]?[] Run(OperationCall call, Device device)
    {
        using var scope = new TensorScope();
        var leaves = call.Inputs.Select(input => input.To(device)).ToArray();
        foreach (var leaf in leaves) leaf.RequiresGrad = true;
        var y = call.Apply(leaves);
        if (y.RequiresGrad) y.Backward(Tensor.Uniform(y.Shape, -1f, 1f, new Generator(1)).To(device));
        return [y.ToArray(), .. leaves.Select(leaf => leaf.Grad?.ToArray())];
    }
}
