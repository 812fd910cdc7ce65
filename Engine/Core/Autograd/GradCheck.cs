namespace QuadEngine;

/// <summary>
/// Compares gradients with finite differences. For L = sum_i c_i f(x)_i with random c, dL/dx is taken from the tape and from
/// differences of eighth order, (4/5) D_1 - (1/5) D_2 + (4/105) D_3 - (1/280) D_4 with D_j = (L(x + j h) - L(x - j h)) / h and L summed in
/// double: with steps that large the rounding of float32 hardly shows, and the error of the formula is of order h^8.
/// </summary>
public static class GradCheck
{
    static readonly double[] Weights = [4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280];

    /// <summary>Checks the gradients of every input of <paramref name="function"/>.</summary>
    /// <param name="name">The operation, for the message.</param>
    /// <param name="function">From inputs to one result of any shape; smooth within 4 steps around the inputs.</param>
    /// <param name="inputs">Values to differentiate at; they stay as they are.</param>
    /// <param name="tolerance">Largest difference, relative to the larger of 1 and the input's largest gradient.</param>
    /// <param name="step">h, relative to the larger of 1 and |x|.</param>
    /// <param name="seed">Of the random cotangents c.</param>
    /// <param name="samples">Elements of each input that are checked, spread evenly; all of small inputs.</param>
    /// <exception cref="GradCheckException">A gradient is wrong; the message names operation, input, index, got and expected.</exception>
    public static void Check(string name, Func<Tensor[], Tensor> function, Tensor[] inputs, double tolerance = 1e-4, double step = 0.02, ulong seed = 1, int samples = 64)
    {
        var leaves = inputs.Select(input => input.Detach()).ToArray();
        foreach (var leaf in leaves) leaf.RequiresGrad = true;
        var result = function(leaves);
        var cotangents = Tensor.Uniform(result.Shape, -1f, 1f, new Generator(seed), Device.Cpu);
        result.Backward(cotangents.To(result.Device));

        var c = cotangents.ToArray();
        for (var number = 0; number < inputs.Length; number++)
        {
            if (leaves[number].Grad is not { } grad) continue;
            var got = grad.ToArray();
            var scale = Math.Max(1.0, got.Length == 0 ? 0 : got.Max(Math.Abs));
            var stride = Math.Max(1, got.Length / samples);
            for (var index = 0; index < got.Length; index += stride)
            {
                var expected = Difference(function, inputs, number, index, c, step);
                if (!(Math.Abs(got[index] - expected) <= tolerance * scale))
                    throw new GradCheckException(name, number, inputs[number].Shape, index, got[index], expected, tolerance * scale);
            }
        }
    }

    static double Difference(Func<Tensor[], Tensor> function, Tensor[] inputs, int number, int index, float[] c, double step)
    {
        var values = inputs[number].ToArray();
        var center = values[index];
        var h = (float)(step * Math.Max(1, Math.Abs(center)));
        double derivative = 0;
        for (var j = 1; j <= Weights.Length; j++)
        {
            // The step actually taken, after rounding.
            float above = center + j * h, below = center - j * h;
            derivative += Weights[j - 1] * j * 2 * (At(above) - At(below)) / ((double)above - below);
        }

        return derivative;

        double At(float value)
        {
            values[index] = value;
            using var scope = new TensorScope();
            using var noGrad = new NoGrad();
            var moved = inputs.ToArray();
            moved[number] = Tensor.FromArray(values, inputs[number].Shape, inputs[number].Device);
            var y = function(moved).ToArray();
            var sum = 0.0;
            for (var i = 0; i < y.Length; i++) sum += (double)c[i] * y[i];
            return sum;
        }
    }
}

/// <summary>A gradient differs from finite differences.</summary>
public sealed class GradCheckException(string name, int input, Shape shape, int index, double got, double expected, double allowed)
    : Exception($"{name}: the gradient of input {input} (shape {shape}) at element {index} is {got:G7}, but finite differences give {expected:G7} (difference {Math.Abs(got - expected):G2}, allowed {allowed:G2}).");
