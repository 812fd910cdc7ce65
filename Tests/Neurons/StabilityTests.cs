using QuadEngine.Layers;

namespace QuadEngine.Tests.Neurons;

/// <summary>The switches of <see cref="QuadraticOptions"/>, and the telemetry that shows their effects.</summary>
sealed class StabilityTests
{
    [TestCase(3)]
    [TestCase(9)]
    public void Retracted_directions_stay_orthonormal_and_nearest_to_where_they_were_moved(int rank)
    {
        var layer = Layer(rank, new QuadraticOptions { Basis = Basis.Retracted });
        Assert.That(Gram(layer), Is.LessThan(1e-4), "from the start");
        layer.Weight.Assign(layer.Weight.Detach() + Tensor.Normal(layer.Weight.Shape, 0f, 0.05f, new Generator(2)));
        var (moved, linear) = (layer.Weight.ToArray(), Column(layer, 0));
        Assert.That(Gram(layer), Is.GreaterThan(1e-2));

        layer.Retract();
        Assert.That(Gram(layer), Is.LessThan(1e-4));
        Assert.That(Column(layer, 0), Is.EqualTo(linear), "w is not part of Q");

        // The polar factor P of Q is the nearest orthonormal matrix: P^T Q is symmetric.
        var n = layer.Projection.FanIn;
        var retracted = layer.Weight.ToArray();
        double Inner(int i, int j) => Enumerable.Range(0, n).Sum(row => (double)retracted[row * layer.Layout.Channels + i] * moved[row * layer.Layout.Channels + j]);
        for (var i = 1; i <= rank; i++)
            for (var j = i + 1; j <= rank; j++) Assert.That(Inner(i, j), Is.EqualTo(Inner(j, i)).Within(1e-4));
    }

    [TestCase(3)]
    [TestCase(9)]
    public void Retraction_by_QR_keeps_the_span_of_the_first_directions_and_what_is_orthonormal(int rank)
    {
        var layer = Layer(rank, new QuadraticOptions { Basis = Basis.Retracted, Retraction = Retraction.Qr });
        Assert.That(Gram(layer), Is.LessThan(1e-5), "from the start");
        var start = layer.Weight.ToArray();
        layer.Retract();
        Assert.That(layer.Weight.ToArray(), Is.EqualTo(start).Within(1e-6), "orthonormal already");

        layer.Weight.Assign(layer.Weight.Detach() + Tensor.Normal(layer.Weight.Shape, 0f, 0.05f, new Generator(2)));
        var (linear, first) = (Column(layer, 0), Column(layer, 1));
        layer.Retract();
        Assert.That(Gram(layer), Is.LessThan(1e-5));
        Assert.That(Column(layer, 0), Is.EqualTo(linear), "w is not part of Q");
        var length = (float)Math.Sqrt(first.Sum(value => (double)value * value));
        Assert.That(Column(layer, 1), Is.EqualTo(first.Select(value => value / length)).Within(1e-6), "the first direction only changes its length");
    }

    [Test]
    public void More_directions_than_inputs_cannot_be_retracted() =>
        Assert.That(() => new QuadraticLinear(2, 8, rank: 3, options: new QuadraticOptions { Basis = Basis.Retracted }), Throws.ArgumentException.With.Message.Contains("orthonormal"));

    [Test]
    public void The_penalty_is_the_distance_from_orthonormal_and_its_gradient_draws_there()
    {
        var layer = Layer(3, new QuadraticOptions { Basis = Basis.Penalized, Penalty = 0.1f });
        var before = layer.Penalty()!.Item();
        Assert.That(before, Is.EqualTo(0.1 * Distance(layer)).Within(1e-3 * before));

        // The penalty is the only loss: the tensor on which Backward is called gives no gradient.
        var sgd = new Sgd(layer.Parameters(), learningRate: 0.05f);
        for (var step = 0; step < 200; step++)
        {
            (layer.Weight * 0f).Sum().Backward();
            sgd.Step();
        }

        Assert.That(layer.Penalty()!.Item(), Is.LessThan(1e-3 * before));
        Assert.That(Layer(3, new QuadraticOptions()).Penalty(), Is.Null);
    }

    [Test]
    public void Constraints_of_a_network_are_those_of_its_layers()
    {
        var options = new QuadraticOptions { Basis = Basis.Penalized };
        var first = Layer(3, options);
        var second = Layer(2, options);
        var network = new Sequential(first, second, Layer(2, new QuadraticOptions()));
        Assert.That(network.Penalty()!.Item(), Is.EqualTo(first.Penalty()!.Item() + second.Penalty()!.Item()).Within(1e-6));
        Assert.That(new Sequential(new Linear(2, 2)).Penalty(), Is.Null);
    }

    [Test]
    public void Lambda_is_a_group_of_its_own_with_its_rate_and_decay()
    {
        var layer = Layer(3, new QuadraticOptions { LambdaLearningRate = 0.01f, LambdaWeightDecay = 0.5f });
        var lambda = layer.ParameterGroups().Single(group => group.Name == "lambda");
        Assert.That((lambda.LearningRateMultiplier, lambda.WeightDecay), Is.EqualTo((0.01f, 0.5f)));
        Assert.That(lambda.Parameters, Is.EqualTo(new[] { layer.Lambda }));
    }

    [Test]
    public void Telemetry_tells_norm_spectrum_share_and_effective_rank()
    {
        var layer = Layer(2, new QuadraticOptions { Basis = Basis.Retracted, Normalized = false });
        layer.Lambda.Assign([.. Enumerable.Range(0, layer.Layout.Coefficients).Select(i => i % 2 == 0 ? 3f : -4f)]);
        var network = new Sequential(layer);
        var x = Tensor.Normal([64, 12], generator: new Generator(1));
        using var telemetry = new QuadraticTelemetry(network);
        var y = network[x];
        y.Sum().Backward();
        var state = telemetry.Read().Single();

        Assert.That(state.Path, Is.EqualTo("0"));
        Assert.That(state.LambdaNorm, Is.EqualTo(Math.Sqrt(12.5 * layer.Layout.Coefficients)).Within(1e-4));
        Assert.That(state.Spectrum[0], Is.EqualTo(new[] { -4.0, 3.0 }).Within(1e-3), "Q is orthonormal, so the eigenvalues are Lambda");
        Assert.That(state.EffectiveRank, Is.EqualTo(Math.Exp(-(0.36 * Math.Log(0.36) + 0.64 * Math.Log(0.64)))).Within(1e-3));
        Assert.That(state.QuadraticShare, Is.EqualTo(Share(layer, x)).Within(1e-4));
        Assert.That(state.LambdaGradient, Is.GreaterThan(0));
    }

    [Test]
    public void Telemetry_of_a_linear_start_is_zero_and_gives_no_share()
    {
        var network = new Sequential(Layer(3, new QuadraticOptions()));
        using var telemetry = new QuadraticTelemetry(network);
        network[Tensor.Normal([8, 12], generator: new Generator(1))].ToArray();
        var state = telemetry.Read().Single();
        Assert.That((state.LambdaNorm, state.QuadraticShare, state.EffectiveRank), Is.EqualTo((0.0, 0.0, 0.0)));
        Assert.That(state.LambdaGradient, Is.NaN);
    }

    // sum q^2 / (sum q^2 + sum l^2) from the output [y, f] alone.
    static double Share(QuadraticNeuronLayer layer, Tensor x)
    {
        using var noGrad = new NoGrad();
        var y = layer[x].ToArray();
        var (channels, lambda) = (layer.Layout.Channels, layer.Lambda.ToArray());
        double squares = 0, linear = 0;
        for (var row = 0; row < x.Shape[0]; row++)
            for (int neuron = 0, l = 0; neuron < layer.Layout.Neurons; neuron++)
            {
                var quadratic = 0.0;
                for (var i = 1; i <= layer.Layout.RankOf(neuron); i++) quadratic += lambda[l++] * Math.Pow(y[row * channels + neuron * layer.Layout.Stride + i], 2);
                squares += quadratic * quadratic;
                linear += Math.Pow(y[row * channels + neuron * layer.Layout.Stride] - quadratic, 2);
            }

        return squares / (squares + linear);
    }

    static QuadraticLinear Layer(int rank, QuadraticOptions options) => new(12, 12, rank, options: options);

    static float[] Column(QuadraticNeuronLayer layer, int column) => [.. layer.Weight.ToArray().Where((_, i) => i % layer.Layout.Channels == column)];

    static double Distance(QuadraticNeuronLayer layer)
    {
        double sum = 0;
        for (var first = 0; first < layer.Layout.Channels; first += layer.Layout.Stride)
            for (var i = first + 1; i < Math.Min(first + layer.Layout.Stride, layer.Layout.Channels); i++)
                for (var j = first + 1; j < Math.Min(first + layer.Layout.Stride, layer.Layout.Channels); j++)
                {
                    float[] a = Column(layer, i), b = Column(layer, j);
                    sum += Math.Pow(a.Zip(b, (x, y) => (double)x * y).Sum() - (i == j ? 1 : 0), 2);
                }

        return sum;
    }

    static double Gram(QuadraticNeuronLayer layer) => Math.Sqrt(Distance(layer));
}
