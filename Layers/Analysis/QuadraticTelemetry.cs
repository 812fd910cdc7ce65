using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;
using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>Measures of the quadratic part of one layer at one step.</summary>
/// <param name="Path">The path of the layer in the network.</param>
/// <param name="LambdaNorm">|Lambda|, over all neurons.</param>
/// <param name="Spectrum">For each neuron, the eigenvalues of s Q Lambda Q^T, largest magnitude first. They are exact even if Q is not orthonormal.</param>
/// <param name="QuadraticShare">sum q^2 / (sum q^2 + sum l^2) over a batch, where y = l + q is the sum of its linear and quadratic part; 0 for a linear layer.</param>
/// <param name="EffectiveRank">exp of the entropy of the squared eigenvalues, mean over neurons: k if all have the same size, 0 if Lambda is 0.</param>
/// <param name="WeightGradient">|dL/dW|, NaN before a backward.</param>
/// <param name="LambdaGradient">|dL/dLambda|, NaN before a backward.</param>
public sealed record QuadraticState(
    string Path, double LambdaNorm, IReadOnlyList<double[]> Spectrum, double QuadraticShare, double EffectiveRank, double WeightGradient, double LambdaGradient);

/// <summary>
/// Watches the quadratic layers of a network while it is open. Call the network, call Backward if you want gradients, then call
/// <see cref="Read"/> before the optimizer's step. The telemetry keeps the outputs of the layers and reads them only then, so a step
/// has the same bits with and without it. It costs a small product per layer and decompositions of k x k matrices; one step in a hundred is enough.
/// </summary>
public sealed class QuadraticTelemetry : IDisposable
{
    readonly (string Path, QuadraticNeuronLayer Layer)[] layers;
    readonly Dictionary<QuadraticNeuronLayer, Tensor> projected = [];
    readonly ModuleTrace trace;

    /// <summary>Watches the later calls of a network, also after an await on another thread and in tasks started in the meantime (<see cref="ModuleTrace"/>).</summary>
    /// <param name="network">The network. The telemetry watches the quadratic layers that it has now.</param>
    public QuadraticTelemetry(ModuleBase network)
    {
        layers = [.. network.Modules().Where(entry => entry.Module is QuadraticNeuronLayer).Select(entry => (entry.Path, (QuadraticNeuronLayer)entry.Module))];
        trace = new ModuleTrace((module, x, y) =>
        {
            if (module is not QuadraticNeuronLayer layer) return;
            Forget(layer);
            projected[layer] = Projected(layer, x, y).Keep();
        });
    }

    /// <summary>Returns the present measures of each layer, in the network's order.</summary>
    public IReadOnlyList<QuadraticState> Read() => [.. layers.Select(entry =>
    {
        var (path, layer) = entry;
        var spectrum = Spectrum(layer);
        return new QuadraticState(path, Norm(layer.Lambda.ToArray()), spectrum, projected.TryGetValue(layer, out var y) ? Share(layer, y) : 0, spectrum.Select(EffectiveRank).DefaultIfEmpty().Average(),
            GradientNorm(layer.Weight), GradientNorm(layer.Lambda));
    })];

    /// <inheritdoc/>
    public void Dispose()
    {
        trace.Dispose();
        foreach (var layer in projected.Keys.ToArray()) Forget(layer);
    }

    /// <summary>exp(-sum p log p) with p_i = v_i^2 / sum v^2; 0 if all v are 0.</summary>
    /// <param name="eigenvalues">v, the eigenvalues of one neuron, in any order.</param>
    public static double EffectiveRank(IReadOnlyList<double> eigenvalues)
    {
        var energy = eigenvalues.Sum(value => value * value);
        return energy == 0 ? 0 : Math.Exp(-eigenvalues.Select(value => value * value / energy).Where(p => p > 0).Sum(p => p * Math.Log(p)));
    }

    void Forget(QuadraticNeuronLayer layer)
    {
        if (projected.Remove(layer, out var y)) y.Dispose();
    }

    // All [y, f] of the neurons: the output, or computed again if the output is only y.
    static Tensor Projected(QuadraticNeuronLayer layer, Tensor x, Tensor y)
    {
        if (layer.Options.Vectorized) return y.Detach();
        using var noGrad = new NoGrad();
        return layer.Projection.Apply(x, layer.Weight, layer.Bias).QuadraticNeuron(layer.Lambda, layer.Layout, layer.Options.Normalized);
    }

    // q = sum_i s lambda_i f_i^2 of all neurons at once: the squared output times a matrix that has s lambda_i in row f_i and in the column of its neuron.
    static double Share(QuadraticNeuronLayer layer, Tensor y)
    {
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        var layout = layer.Layout;
        if (layout.Coefficients == 0) return 0;
        float[] sum = new float[layout.Channels * layout.Neurons], select = new float[layout.Channels * layout.Neurons], lambda = layer.Lambda.ToArray();
        for (var i = 0; i < lambda.Length; i++)
        {
            int channel = layout.ChannelOf(i), neuron = channel / layout.Stride;
            sum[channel * layout.Neurons + neuron] = lambda[i] * layout.ScaleOf(neuron, layer.Options.Normalized);
        }

        for (var neuron = 0; neuron < layout.Neurons; neuron++) select[neuron * layout.Stride * layout.Neurons + neuron] = 1f;
        Shape shape = [layout.Channels, layout.Neurons];
        var rows = y.Detach().Reshape(-1, layout.Channels);
        var quadratic = rows.Square().MatMul(Tensor.FromArray(sum, shape, y.Device));
        var linear = rows.MatMul(Tensor.FromArray(select, shape, y.Device)) - quadratic;
        double q = quadratic.Square().Sum().Item(), l = linear.Square().Sum().Item();
        return q + l == 0 ? 0 : q / (q + l);
    }

    // With Q = U R (thin QR), Q L Q^T = U (R L R^T) U^T has the eigenvalues of the k x k matrix R L R^T.
    static double[][] Spectrum(QuadraticNeuronLayer layer)
    {
        var (layout, n) = (layer.Layout, layer.Projection.FanIn);
        float[] weight = layer.Weight.ToArray(), lambda = layer.Lambda.ToArray();
        var spectrum = new double[layout.Neurons][];
        for (int neuron = 0, first = 0; neuron < spectrum.Length; first += layout.RankOf(neuron++))
        {
            var (rank, column, scale) = (layout.RankOf(neuron), neuron * layout.Stride + 1, layout.ScaleOf(neuron, layer.Options.Normalized));
            if (rank == 0)
            {
                spectrum[neuron] = [];
                continue;
            }

            var start = first;
            var q = Matrix<double>.Build.Dense(Math.Max(n, rank), rank, (i, j) => i < n ? weight[i * layout.Channels + column + j] : 0);
            var r = q.QR(QRMethod.Thin).R;
            var values = Matrix<double>.Build.Diagonal(rank, rank, i => scale * lambda[start + i]);
            spectrum[neuron] = LayerSpectrum.Decompose(r * values * r.Transpose()).Values;
        }

        return spectrum;
    }

    static double GradientNorm(Parameter parameter) => parameter.Grad is { } gradient ? Norm(gradient.ToArray()) : double.NaN;

    static double Norm(float[] values) => Math.Sqrt(values.Sum(value => (double)value * value));
}
