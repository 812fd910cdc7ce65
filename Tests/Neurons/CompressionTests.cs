using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Neurons;

sealed class CompressionTests
{
    [Test]
    public void Error_of_rank_k_is_the_spectrum_cut_off([Values(4, 9, 16)] int n, [Values(1, 3, 4)] int rank)
    {
        var layer = RandomLayer(new DenseProjection(n, 3));
        var spectrum = new LayerSpectrum(layer);
        using var noGrad = new NoGrad();
        var forms = layer.Form.UnpackSymmetric(n).ToArray();
        var truncated = spectrum.Truncate(rank);

        double error = 0, all = 0, discarded = 0;
        for (var c = 0; c < 3; c++)
        {
            discarded += spectrum.Eigenvalues[c].Skip(rank).Sum(value => value * value);
            for (var i = 0; i < n; i++)
                for (var j = 0; j < n; j++)
                {
                    var kept = Form(truncated, c, i, j);
                    error += Math.Pow(forms[(c * n + i) * n + j] - kept, 2);
                    all += Math.Pow(forms[(c * n + i) * n + j], 2);
                }
        }

        Assert.That(Math.Sqrt(error), Is.EqualTo(Math.Sqrt(discarded)).Within(1e-5 * Math.Sqrt(all)), "Eckart-Young-Mirsky");
        Assert.That(spectrum.RelativeError(rank), Is.EqualTo(Math.Sqrt(discarded / all)).Within(1e-5));
    }

    [TestCase(true)]
    [TestCase(false)]
    public void Full_rank_gives_the_same_outputs(bool normalized)
    {
        foreach (var projection in (Projection[])[new DenseProjection(6, 4), new ConvProjection(2, 3, 3, Stride: 2, Padding: 1)])
        {
            var layer = RandomLayer(projection);
            var x = Tensor.Uniform(projection is ConvProjection ? [2, 6, 6, 2] : [5, 6], -1f, 1f, new Generator(2));
            var same = new LayerSpectrum(layer).Truncate(projection.FanIn, new QuadraticOptions { Normalized = normalized });
            Assert.That(same[x].ToArray(), Is.EqualTo(layer[x].ToArray()).Within(1e-5));
        }
    }

    [Test]
    public void A_network_is_compressed_layer_by_layer_and_its_errors_are_reported()
    {
        var network = ResNet.Cifar(8, classes: 4, Layers.Neurons.FullQuadratic(), inChannels: 1, width: 2);
        var generator = new Generator(4);
        foreach (var (path, parameter) in network.NamedParameters().Where(entry => entry.Path.EndsWith("form", StringComparison.Ordinal)))
            parameter.Assign(Tensor.Normal(parameter.Shape, 0f, 0.05f, generator));
        var probe = Tensor.Normal([4, 8, 8, 1], generator: generator);
        var spectra = Compression.Spectra(network);

        var (exact, exactLayers) = Compression.Compress(network, spectra, _ => int.MaxValue, probe);
        Assert.That(exactLayers.Select(layer => layer.Path), Is.EquivalentTo(spectra.Keys));
        Assert.That(exactLayers.Max(layer => layer.OutputError), Is.LessThan(1e-5));
        Assert.That(Outputs(exact, probe), Is.EqualTo(Outputs(network, probe)).Within(0.01).Percent);

        var (small, smallLayers) = Compression.Compress(network, spectra, _ => 2, probe);
        Assert.That(smallLayers, Has.All.Matches<LayerCompression>(layer => layer is { Rank: 2, FrobeniusError: > 0.01, OutputError: > 0 }));
        Assert.That(small.ParameterCount, Is.LessThan(network.ParameterCount));
    }

    [Test]
    public void A_linear_network_becomes_a_quadratic_one_of_the_same_bits()
    {
        var linear = ResNet.Cifar(8, classes: 4, inChannels: 1, width: 4);
        var probe = Tensor.Normal([4, 8, 8, 1], generator: new Generator(9));
        var quadratic = Compression.ToQuadratic(linear, rank: 3);
        Assert.That(quadratic.NamedParameters().Count(entry => entry.Path.EndsWith("lambda", StringComparison.Ordinal)), Is.EqualTo(6));
        Assert.That(Outputs(quadratic, probe), Is.EqualTo(Outputs(linear, probe)));
    }

    [Test]
    public void Ranks_by_layer_keep_the_budget_and_beat_one_rank_for_all()
    {
        var generator = new Generator(3);
        var spectra = new Dictionary<string, LayerSpectrum>();
        foreach (var (path, directions) in new[] { ("flat", 8), ("sharp", 1) })
        {
            // M is the sum of this number of outer products. A layer of low rank gains nothing from a higher rank.
            var layer = RandomLayer(new DenseProjection(8, 1));
            var vectors = Tensor.Normal([directions, 8], generator: generator).ToArray();
            layer.Form.Assign([.. from i in Enumerable.Range(0, 8) from j in Enumerable.Range(i, 8 - i)
                select (float)Enumerable.Range(0, directions).Sum(d => (double)vectors[d * 8 + i] * vectors[d * 8 + j])]);
            spectra[path] = new LayerSpectrum(layer);
        }

        var ranks = RankAllocation.Choose(spectra, _ => 10, budget: 80);
        Assert.That(ranks["sharp"], Is.EqualTo(1));
        Assert.That(ranks["flat"], Is.EqualTo(7));
        Assert.That(spectra.Sum(entry => entry.Value.RelativeError(ranks[entry.Key])), Is.LessThan(spectra.Values.Sum(spectrum => spectrum.RelativeError(4))));
        Assert.That(() => RankAllocation.Choose(spectra, _ => 10, budget: 19), Throws.ArgumentException);
    }

    // M_k = s sum_l lambda_l q_l q_l^T, from the parameters of the truncated layer.
    static double Form(QuadraticNeuronLayer layer, int neuron, int i, int j)
    {
        float[] weight = layer.Weight.ToArray(), lambda = layer.Lambda.ToArray();
        var (channels, rank) = (layer.Layout.Channels, layer.Layout.Rank);
        double Q(int row, int direction) => weight[row * channels + neuron * (rank + 1) + 1 + direction];
        return Enumerable.Range(0, rank).Sum(l => layer.Layout.ScaleOf(neuron, layer.Options.Normalized) * lambda[neuron * rank + l] * Q(i, l) * Q(j, l));
    }

    static float[] Outputs(Module network, Tensor x)
    {
        using var noGrad = new NoGrad();
        network.Eval();
        return network[x].ToArray();
    }

    static FullQuadraticLayer RandomLayer(Projection projection)
    {
        var layer = (FullQuadraticLayer)Layers.Neurons.FullQuadratic().Layer(projection);
        var generator = new Generator(11);
        foreach (var parameter in layer.Parameters()) parameter.Assign(Tensor.Normal(parameter.Shape, 0f, 0.3f, generator));
        return layer;
    }
}
