using QuadEngine.Layers;

namespace QuadEngine.Tests.Neurons;

/// <summary>Parameters stay on a set, or move toward one, in a loop of only forward, Backward and Step.</summary>
sealed class ConstraintTests
{
    static Tensor X => Tensor.Normal([16, 12], generator: new Generator(5));

    static Tensor Target => Tensor.Normal([16, 12], generator: new Generator(6));

    [Test]
    public void Directions_stay_orthonormal_through_a_loop_that_knows_nothing_of_them([Values] Retraction retraction)
    {
        var layer = Layer(new QuadraticOptions { Basis = Basis.Retracted, Retraction = retraction });
        var adam = new AdamW(layer.ParameterGroups(), learningRate: 0.05f);
        for (var step = 0; step < 5; step++)
        {
            Losses.MeanSquaredError(layer[X], Target).Backward();
            adam.Step();
            Assert.That(FarFromOrthonormal(layer), Is.LessThan(1e-4), $"step {step}");
        }
    }

    [Test]
    public void Backward_adds_the_gradient_of_the_penalty_once_however_often_a_weight_is_used([Values] bool recompute, [Values(1, 3)] int uses)
    {
        var options = new QuadraticOptions { Basis = Basis.Penalized, Penalty = 0.3f };
        Module layer = Layer(options, recompute), free = Layer(options with { Basis = Basis.Free }, recompute);
        foreach (var module in (Module[])[layer, free])
        {
            var y = X;
            for (var use = 0; use < uses; use++) y = module[y];
            Losses.MeanSquaredError(y, Target).Backward();
        }

        var expected = PenaltyGradient(Weight(layer)).Zip(Weight(free).Grad!.ToArray(), (penalty, loss) => 0.3f * penalty + loss);
        Assert.That(Weight(layer).Grad!.ToArray(), Is.EqualTo(expected).Within(1e-4f));
    }

    [Test]
    public void Each_backward_adds_its_penalty_as_if_each_loss_had_it()
    {
        var layer = Layer(new QuadraticOptions { Basis = Basis.Penalized, Penalty = 1f });
        for (var pass = 0; pass < 2; pass++) (layer.Weight * 0f).Sum().Backward();
        Assert.That(layer.Weight.Grad!.ToArray(), Is.EqualTo(PenaltyGradient(layer.Weight).Select(value => 2 * value)).Within(1e-4f));
    }

    [Test]
    public void Penalty_that_fails_leaves_later_passes_as_they_are()
    {
        var parameter = new Parameter(Tensor.Ones([2])) { Constraint = new Failing() };
        Assert.That(() => parameter.Sum().Backward(), Throws.InvalidOperationException.With.Message.EqualTo("no penalty"));
        parameter.Constraint = null;
        parameter.ClearGrad();
        parameter.Sum().Backward();
        Assert.That(parameter.Grad!.ToArray(), Is.EqualTo(new[] { 1f, 1f }));
    }

    [Test]
    public void A_parameter_without_a_gradient_is_not_put_back()
    {
        Parameter used = new(Tensor.Full([2], 5f)) { Constraint = new UnitBox() }, unused = new(Tensor.Full([2], 5f)) { Constraint = new UnitBox() };
        used.Sum().Backward();
        new Sgd([used, unused], learningRate: 0.1f).Step();
        Assert.That((used.ToArray(), unused.ToArray()), Is.EqualTo((new[] { 1f, 1f }, new[] { 5f, 5f })));
    }

    static Parameter Weight(Module layer) => ((QuadraticLinear)layer).Weight;

    static QuadraticLinear Layer(QuadraticOptions options, bool recompute = false)
    {
        Generator.Default = new Generator(3);
        return (QuadraticLinear)(Layers.Neurons.Quadratic(3, options) with { Recompute = recompute }).Dense(12, 12);
    }

    // d/dQ sum |Q^T Q - I|^2 = 4 Q (Q^T Q - I), neuron by neuron; columns 4j + 1 to 4j + 3 are the Q of neuron j.
    static float[] PenaltyGradient(Tensor weight)
    {
        const int n = 12;
        var w = weight.ToArray();
        var gradient = new float[w.Length];
        for (var neuron = 0; neuron < n; neuron += 4)
            for (var row = 0; row < n; row++)
                for (var i = neuron + 1; i < neuron + 4; i++)
                    for (var j = neuron + 1; j < neuron + 4; j++)
                        gradient[row * n + i] += 4 * w[row * n + j] * (Dot(w, j, i) - (i == j ? 1f : 0f));
        return gradient;

        static float Dot(float[] w, int a, int b) => (float)Enumerable.Range(0, n).Sum(row => (double)w[row * n + a] * w[row * n + b]);
    }

    static double FarFromOrthonormal(QuadraticLinear layer) => PenaltyGradient(layer.Weight).Max(value => Math.Abs(value));

    sealed class UnitBox : Constraint
    {
        public override void Retract(Parameter parameter) => parameter.Assign(parameter.Minimum(1f));
    }

    sealed class Failing : Constraint
    {
        public override Tensor? Penalty(Parameter parameter) => throw new InvalidOperationException("no penalty");
    }
}
