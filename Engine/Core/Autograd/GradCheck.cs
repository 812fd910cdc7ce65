namespace QuadEngine;

/// <summary>
/// Compares gradients with finite differences. For L = sum_i c_i f(x)_i with random c, it takes dL/dx from the tape and from
/// eighth-order differences, (4/5) D_1 - (1/5) D_2 + (4/105) D_3 - (1/280) D_4 with D_j = (L(x + j h) - L(x - j h)) / h, where L is summed in
/// double. With such large steps the rounding of float32 matters little, and the error of the formula is of order h^8.
/// </summary>
public static class GradCheck
{
    static readonly double[] Weights = [4.0 / 5, -1.0 / 5, 4.0 / 105, -1.0 / 280];

    /// <summary>Checks the gradient of every input of <paramref name="function"/>. A missing gradient counts as 0.</summary>
    /// <param name="name">The operation, for the message.</param>
    /// <param name="function">Computes one result of any shape from the inputs; smooth within 4 steps around the inputs.</param>
    /// <param name="inputs">The values at which to differentiate; they are not changed.</param>
    /// <param name="tolerance">The largest allowed difference, relative to the input's largest gradient. An allowance for the rounding of float32 in f is added.</param>
    /// <param name="step">h, relative to the larger of 1 and |x|.</param>
    /// <param name="seed">Seed of the random cotangents c.</param>
    /// <param name="samples">How many elements of each input are checked, spread over the input. All elements of a smaller input are checked.</param>
    /// <exception cref="GradCheckException">A gradient is wrong. The message names operation, input, index, and both values.</exception>
    public static void Check(string name, Func<Tensor[], Tensor> function, Tensor[] inputs, double tolerance = 1e-4, double step = 0.02, ulong seed = 1, int samples = 64)
    {
        using var scope = new TensorScope.OnStack();
        var leaves = inputs.Select(input => input.Detach()).ToArray();
        foreach (var leaf in leaves) leaf.RequiresGrad = true;
        var result = function(leaves);
        var cotangents = Tensor.Uniform(result.Shape, -1f, 1f, new Generator(seed), Device.Cpu);
        if (result.RequiresGrad) result.Backward(cotangents.To(result.Device));      // otherwise all gradients must be 0

        var c = cotangents.ToArray();
        // The relative error of a float is 2^-24. The error of L is about 2^-24 of its terms' norm, that of a difference the same divided by h, and that of a gradient 2^-24 of the norm of c.
        var norm = Math.Sqrt(result.ToArray().Zip(c, (y, weight) => Math.Pow((double)y * weight, 2)).Sum());
        var rounding = 4 * Math.Pow(2, -24) * (norm / step + 1);
        for (var number = 0; number < inputs.Length; number++)
        {
            var got = leaves[number].Grad?.ToArray() ?? new float[inputs[number].Length];
            var differences = Sample(got.Length, samples).Select(index => (Index: index, Expected: Difference(function, inputs, number, index, c, step))).ToArray();
            var largest = differences.Select(at => Math.Abs(at.Expected)).Concat(got.Select(value => (double)Math.Abs(value))).DefaultIfEmpty().Max();
            var allowed = tolerance * largest + rounding;
            foreach (var (index, expected) in differences)
                if (!(Math.Abs(got[index] - expected) <= allowed))
                    throw new GradCheckException(name, number, inputs[number].Shape, index, got[index], expected, allowed);
        }
    }

    // Steps of the golden section reach all channels, for every number of channels. A plain stride could stay in one channel.
    static IEnumerable<int> Sample(int length, int samples) =>
        length <= samples ? Enumerable.Range(0, length) : Enumerable.Range(0, samples).Select(i => (int)(i * 0.6180339887498949 % 1 * length)).Distinct();

    static double Difference(Func<Tensor[], Tensor> function, Tensor[] inputs, int number, int index, float[] c, double step)
    {
        var values = inputs[number].ToArray();
        var center = values[index];
        var h = (float)(step * Math.Max(1, Math.Abs(center)));
        double derivative = 0;
        for (var j = 1; j <= Weights.Length; j++)
        {
            // The step after rounding.
            float above = center + j * h, below = center - j * h;
            derivative += Weights[j - 1] * j * 2 * (At(above) - At(below)) / ((double)above - below);
        }

        return derivative;

        double At(float value)
        {
            values[index] = value;
            using var scope = new TensorScope.OnStack();
            using var noGrad = new NoGrad.OnStack();
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
/// <param name="name">The name of the function.</param>
/// <param name="input">The number of the input, counted from 0.</param>
/// <param name="shape">The shape of that input.</param>
/// <param name="index">The element of the input whose gradient differs.</param>
/// <param name="got">What Backward gave.</param>
/// <param name="expected">What finite differences gave.</param>
/// <param name="allowed">The largest allowed difference.</param>
public sealed class GradCheckException(string name, int input, Shape shape, int index, double got, double expected, double allowed)
    : Exception($"{name}: the gradient of input {input} (shape {shape}) at element {index} is {got:G7}, but finite differences give {expected:G7} (difference {Math.Abs(got - expected):G2}, allowed {allowed:G2}).");
