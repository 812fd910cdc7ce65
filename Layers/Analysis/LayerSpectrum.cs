using MathNet.Numerics.LinearAlgebra;
using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// The eigenpairs of the quadratic forms of a <see cref="FullQuadraticLayer"/>: M = sum_i lambda_i q_i q_i^T with |lambda_1| >= |lambda_2| >= ...
/// The first k terms are the best approximation of rank k. Its squared error is the sum of the squares of the other eigenvalues (Eckart and
/// Young 1936, Mirsky 1960).
/// </summary>
public sealed class LayerSpectrum
{
    readonly FullQuadraticLayer layer;
    readonly Matrix<double>[] vectors;

    /// <summary>Decomposes the M of every neuron.</summary>
    /// <param name="layer">The layer. Its M are decomposed as they are now; <see cref="Truncate"/> reads w and b when it is called.</param>
    public LayerSpectrum(FullQuadraticLayer layer)
    {
        this.layer = layer;
        var pairs = Forms(layer).Select(Decompose).ToArray();
        Eigenvalues = [.. pairs.Select(pair => pair.Values)];
        vectors = [.. pairs.Select(pair => pair.Vectors)];
    }

    /// <summary>The n eigenvalues of each neuron, largest magnitude first.</summary>
    public IReadOnlyList<double[]> Eigenvalues { get; }

    /// <summary>Returns the relative Frobenius error |M - M_k| / |M| over all neurons of the layer; 0 if M is 0.</summary>
    /// <param name="rank">k, the number of eigenpairs kept of each neuron: none at 0, all from n on.</param>
    public double RelativeError(int rank)
    {
        double cut = 0, all = 0;
        foreach (var values in Eigenvalues)
            for (var i = 0; i < values.Length; i++)
            {
                all += values[i] * values[i];
                if (i >= rank) cut += values[i] * values[i];
            }

        return all == 0 ? 0 : Math.Sqrt(cut / all);
    }

    /// <summary>
    /// Makes a layer of efficient quadratic neurons of rank k from this one: with the same w and b, with the first k eigenpairs as Q and Lambda (divided by s), and with only y as output.
    /// </summary>
    /// <param name="rank">The rank k, from 1 to n.</param>
    /// <param name="options">How the neurons learn after this; null for the defaults. They output only y in any case.</param>
    /// <exception cref="ArgumentException">The rank is below 1 or above n.</exception>
    public QuadraticNeuronLayer Truncate(int rank, QuadraticOptions? options = null)
    {
        int n = layer.Projection.FanIn, channels = layer.Projection.OutChannels;
        Check.That(rank >= 1 && rank <= n, nameof(Truncate), $"the rank is {rank}; a form on {n} inputs has ranks 1 to {n}.");
        var kind = new QuadraticNeuronKind(rank, (options ?? new QuadraticOptions()) with { Vectorized = false });
        var truncated = (QuadraticNeuronLayer)kind.Layer(layer.Projection, layer.Bias is not null);
        var stride = rank + 1;
        float[] linear = layer.Weight.ToArray(), weight = new float[n * channels * stride], lambda = new float[channels * rank];
        for (var c = 0; c < channels; c++)
        {
            for (var i = 0; i < n; i++)
            {
                weight[i * channels * stride + c * stride] = linear[i * channels + c];
                for (var j = 0; j < rank; j++) weight[i * channels * stride + c * stride + j + 1] = (float)vectors[c][i, j];
            }

            for (var j = 0; j < rank; j++) lambda[c * rank + j] = (float)(Eigenvalues[c][j] / truncated.Layout.ScaleOf(c, kind.Options.Normalized));
        }

        truncated.Weight.Assign(weight);
        truncated.Lambda.Assign(lambda);
        if (layer.Bias is { } bias)
        {
            var offsets = new float[channels * stride];
            foreach (var (c, value) in bias.ToArray().Index()) offsets[c * stride] = value;
            truncated.Bias!.Assign(offsets);
        }

        return truncated.To(layer.Weight.Device);
    }

    static IEnumerable<Matrix<double>> Forms(FullQuadraticLayer layer)
    {
        int n = layer.Projection.FanIn, channels = layer.Projection.OutChannels;
        using var noGrad = new NoGrad();
        using var unpacked = layer.Form.UnpackSymmetric(n);
        var values = unpacked.ToArray();
        return Enumerable.Range(0, channels).Select(c => Matrix<double>.Build.Dense(n, n, (i, j) => values[(c * n + i) * n + j]));
    }

    internal static (double[] Values, Matrix<double> Vectors) Decompose(Matrix<double> form)
    {
        var decomposition = form.Evd(Symmetricity.Symmetric);
        var values = decomposition.EigenValues.Select(value => value.Real).ToArray();
        var order = Enumerable.Range(0, values.Length).OrderByDescending(i => Math.Abs(values[i])).ToArray();
        return ([.. order.Select(i => values[i])], Matrix<double>.Build.DenseOfColumnVectors(order.Select(i => decomposition.EigenVectors.Column(i))));
    }
}
