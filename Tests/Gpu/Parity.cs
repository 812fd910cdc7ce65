using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>Two devices give the same.</summary>
public static class Parity
{
    /// <summary>Compares all results of a case, relative to 1 or their size.</summary>
    public static void AssertSame(BackendCase testCase, Device expectedOn, Device gotOn, int seed, bool tiny = false, Func<float, float>? round = null, bool aligned = false)
    {
        foreach (var (name, wanted, values) in Sample.Run(testCase, expectedOn, gotOn, seed, tiny, round, aligned))
        {
            Assert.That(values, Has.Length.EqualTo(wanted.Length), name);
            for (var i = 0; i < wanted.Length; i++)
            {
                if (float.IsNaN(wanted[i]) && float.IsNaN(values[i]) || wanted[i] == values[i]) continue;
                var error = Math.Abs(values[i] - wanted[i]) / Math.Max(1f, Math.Abs(wanted[i]));
                if (!(error <= testCase.Tolerance))
                    Assert.Fail($"{testCase} (seed {seed}): {name}[{i}] of {wanted.Length} is {values[i]:G9} on {gotOn}, {wanted[i]:G9} on {expectedOn}");
            }
        }
    }

    /// <summary>Result and gradients of a call are those of the CPU.</summary>
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
