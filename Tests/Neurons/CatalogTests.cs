using QuadEngine.Layers;
using QuadEngine.Models;
using QuadEngine.Tests.Cpu;

namespace QuadEngine.Tests.Neurons;

/// <summary>Laws that hold for every neuron of the catalogue, dense and convolutional.</summary>
sealed class CatalogTests
{
    static readonly Neuron[] Catalog =
    [
        Layers.Neurons.Linear,
        Layers.Neurons.Quadratic(3),
        Layers.Neurons.Quadratic(4, new QuadraticOptions { Normalized = false }),
        Layers.Neurons.Quadratic(2, new QuadraticOptions { Vectorized = false }),
        Layers.Neurons.FullQuadratic(),
        Layers.Neurons.LowRankQuadratic(2),
        Layers.Neurons.Fan(),
        Layers.Neurons.QRes,
        Layers.Neurons.QuadraNN(normalized: false),
        Layers.Neurons.Kervolution(2),
        Layers.Neurons.Kervolution(3, -0.25f),
    ];

    static IEnumerable<Neuron> Trained() =>
    [
        .. Catalog, Layers.Neurons.QuadraNN(),
        Layers.Neurons.Quadratic(3, new QuadraticOptions { LambdaDeviation = 0.1f, LambdaLearningRate = 10f, Normalized = false }),
        Layers.Neurons.Quadratic(3, new QuadraticOptions { Detached = true, Basis = Basis.Penalized }),
    ];

    static readonly Projection[] Projections =
    [
        new DenseProjection(5, 7),
        new ConvProjection(2, 6, 3, Padding: 1),
        new ConvProjection(3, 5, 3, Stride: 2, Padding: 1),
        new ConvProjection(2, 4, 2, Dilation: 2),
    ];

    static IEnumerable<TestCaseData> Cases() =>
        from neuron in Catalog.Append(Layers.Neurons.QuadraNN())
        from projection in Projections
        select new TestCaseData(neuron, projection).SetArgDisplayNames(neuron.ToString(), projection.ToString());

    static IEnumerable<TestCaseData> PointwiseCases() =>
        from neuron in Catalog
        from projection in Projections
        from bias in new[] { true, false }
        select new TestCaseData(neuron, projection, bias).SetArgDisplayNames(neuron.ToString(), projection.ToString(), bias ? "bias" : "no bias");

    [TestCaseSource(nameof(PointwiseCases))]
    public void Output_equals_the_formula_in_double_precision(Neuron neuron, Projection projection, bool bias)
    {
        var layer = RandomLayer(neuron, projection, bias);
        var x = Input(projection);
        using var noGrad = new NoGrad();
        var got = layer[x].ToArray();

        var inputs = projection is ConvProjection conv
            ? NeuronFormula.Fields(conv, x.ToArray(), x.Shape)
            : x.ToArray().Chunk(projection.InChannels).Select(row => row.Select(value => (double)value).ToArray());
        var expected = inputs.SelectMany(row => NeuronFormula.Evaluate(layer, row)).ToArray();

        Assert.That(got, Has.Length.EqualTo(expected.Length));
        for (var i = 0; i < got.Length; i++) Assert.That(got[i], Is.EqualTo(expected[i]).Within(2e-5 * Math.Max(1, Math.Abs(expected[i]))), $"element {i}");
    }

    [TestCaseSource(nameof(Cases))]
    public void Gradients_of_input_and_parameters_equal_finite_differences(Neuron neuron, Projection projection)
    {
        var layer = RandomLayer(neuron, projection, bias: true);
        GradCheck.Check(neuron.Name, inputs => layer[inputs[0]], [Input(projection)], tolerance: 2e-4);
        foreach (var (path, parameter) in layer.NamedParameters())
        {
            var start = Tensor.FromArray(parameter.ToArray(), parameter.Shape);
            var x = Input(projection);
            GradCheck.Check($"{neuron.Name}.{path}", inputs => Through(inputs[0], parameter, () => layer[x]), [start], tolerance: 2e-4, samples: 12);
            parameter.Assign(start);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Counts_by_formula_are_what_is_allocated_and_executed(Neuron neuron, Projection projection)
    {
        var layer = (NeuronLayer)neuron.Layer(projection, bias: false);
        var cost = neuron.Cost(projection.FanIn, projection.OutChannels);
        Assert.That(layer.ParameterCount, Is.EqualTo(cost.Parameters));

        using var counter = new MultiplyAddCounter();
        using var noGrad = new NoGrad();
        var y = layer[Input(projection)];
        y.ToArray();
        Assert.That(counter.Count, Is.EqualTo(y.Shape.Rows * cost.MultiplyAdds));
    }

    [TestCaseSource(nameof(Cases))]
    public void Recomputing_gives_the_same_bits(Neuron neuron, Projection projection)
    {
        var x = Input(projection);
        var kept = Gradients(neuron, projection, x);
        var recomputed = Gradients(neuron with { Recompute = true }, projection, x);
        Assert.That(recomputed, Is.EqualTo(kept));
    }

    [TestCaseSource(nameof(Catalog))]
    public void Recomputing_keeps_only_the_input_for_backward(Neuron neuron)
    {
        var projection = new ConvProjection(4, 8, 3, Padding: 1);
        var x = Tensor.Uniform([4, 16, 16, 4], generator: new Generator(3));
        long output = 4 * 4 * 16 * 16 * 8, kept = Kept(neuron), recomputed = Kept(neuron with { Recompute = true });
        Assert.That(recomputed, Is.EqualTo(output).Within(output / 8), "the result alone, in a block of the pool");
        Assert.That(kept, Is.GreaterThanOrEqualTo(recomputed));
        if (neuron is FanNeuron or QuadraNeuron or LowRankQuadraticNeuron or FullQuadraticNeuron) Assert.That(kept, Is.GreaterThan(2 * recomputed), "several projections");

        // Returns the bytes that remain after the call, without x and the parameters.
        long Kept(Neuron neuron)
        {
            var layer = neuron.Layer(projection, bias: false);
            var before = PoolMemory.InUse();
            using var y = layer[x];
            y.ToArray();
            return Device.Cpu.Pool.Statistics.InUse - before;
        }
    }

    [TestCaseSource(nameof(Trained))]
    public void A_network_of_it_everywhere_trains_and_stays_finite(Neuron neuron)
    {
        Generator.Default = new Generator(5);
        var everywhere = ResNet.Cifar(8, classes: 4, neuron, inChannels: 1, width: 4).Modules()
            .Where(entry => entry.Module is NeuronLayer).ToDictionary(entry => entry.Path, _ => neuron);
        var network = ResNet.Cifar(8, classes: 4, neuron, inChannels: 1, width: 4, neuronOf: everywhere);
        var sgd = new Sgd(network.ParameterGroups(), learningRate: 0.1f, momentum: 0.9f, weightDecay: 1e-4f);
        var images = Tensor.Normal([32, 8, 8, 1], generator: new Generator(1));
        var labels = IntTensor.FromArray([.. Enumerable.Range(0, 32).Select(i => i % 4)]);
        var losses = new List<float>();
        for (var step = 0; step < 25; step++)
        {
            using var scope = new TensorScope();
            var loss = Losses.CrossEntropy(network[images], labels);
            losses.Add(loss.Item());
            loss.Backward();
            GradientClipping.ByNorm(network.Parameters(), 5f);
            sgd.Step();
        }

        Assert.That(losses, Has.All.Matches<float>(float.IsFinite));
        Assert.That(losses[^1], Is.LessThan(losses[0]));
    }

    [Test]
    public void Every_name_of_the_catalogue_gives_a_neuron_and_an_unknown_one_the_list()
    {
        foreach (var name in Layers.Neurons.Names) Assert.That(Layers.Neurons.Get(name).Name, Is.EqualTo(name));
        Assert.That(() => Layers.Neurons.Get("cubic"), Throws.ArgumentException.With.Message.Contains("cubic").And.Message.Contains("kervolution"));
    }

    [Test]
    public void Neurons_that_start_linear_equal_a_linear_layer_of_their_weights()
    {
        foreach (var neuron in (Neuron[])[Layers.Neurons.Quadratic(3), Layers.Neurons.FullQuadratic(), Layers.Neurons.LowRankQuadratic(2), Layers.Neurons.Fan()])
        {
            var layer = neuron.Dense(6, 8);
            var linear = new Linear(6, 8);
            linear.Weight.Assign(layer.NamedParameters().Single(entry => entry.Path == "weight").Parameter);
            var x = Input(new DenseProjection(6, 8));
            Assert.That(layer[x].ToArray(), Is.EqualTo(linear[x].ToArray()), neuron.Name);
        }
    }

    static NeuronLayer RandomLayer(Neuron neuron, Projection projection, bool bias)
    {
        var layer = (NeuronLayer)neuron.Layer(projection, bias);
        var generator = new Generator(7);
        foreach (var parameter in layer.Parameters()) parameter.Assign(Tensor.Uniform(parameter.Shape, -0.5f, 0.5f, generator));
        return layer;
    }

    static Tensor Input(Projection projection) =>
        Tensor.Uniform(projection is ConvProjection ? [2, 5, 6, projection.InChannels] : [4, projection.InChannels], -1f, 1f, new Generator(3));

    static float[][] Gradients(Neuron neuron, Projection projection, Tensor x)
    {
        var layer = RandomLayer(neuron, projection, bias: true);
        var input = x.Detach();
        input.RequiresGrad = true;
        var y = layer[input];
        y.Square().Sum().Backward();
        return [y.ToArray(), input.Grad!.ToArray(), .. layer.Parameters().Select(parameter => parameter.Grad!.ToArray()), .. layer.NamedBuffers().Select(entry => entry.Buffer.ToArray())];
    }

    // Returns the value of a function of a parameter, and passes the parameter's gradient to the tensor that the check changes.
    static Tensor Through(Tensor value, Parameter parameter, Func<Tensor> function)
    {
        parameter.Assign(value.Detach());
        parameter.ClearGrad();
        var y = function();
        return y.Detach().WithBackward("parameter", [value], [], (dy, _) =>
        {
            y.Backward(dy);
            return [parameter.Grad];
        });
    }
}
