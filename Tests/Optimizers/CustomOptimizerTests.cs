namespace QuadEngine.Tests.Optimizers;

/// <summary>An optimizer from outside the engine keeps all promises of the engine without code for them.</summary>
sealed class CustomOptimizerTests
{
    [Test]
    public void Momentum_written_outside_is_that_of_the_engine_with_scales_and_steps_that_are_left_out()
    {
        Parameter own = new(Tensor.Normal([3, 4], generator: new Generator(1))), engine = new(own.Detach().Clone());
        Optimizer custom = new Momentum([new ParameterGroup("all", [own]) { LearningRateMultiplier = 0.5f }], 0.1f),
            sgd = new Sgd([new ParameterGroup("all", [engine]) { LearningRateMultiplier = 0.5f }], 0.1f, momentum: 0.9f);
        foreach (var scale in (float?[])[null, 1f, 0f, 0.25f, float.NaN, null, 2f])
        {
            foreach (var (parameter, optimizer) in ((Parameter, Optimizer)[])[(own, custom), (engine, sgd)])
            {
                parameter.Square().Sum().Backward();
                optimizer.GradientScale = scale is { } factor ? Tensor.Scalar(factor) : null;
                optimizer.Step();
            }

            Assert.That(own.ToArray(), Is.EqualTo(engine.ToArray()).Within(1e-6f), $"scale {scale}");
            Assert.That(custom.StateOf(own)[0].ToArray(), Is.EqualTo(sgd.StateOf(engine)[0].ToArray()).Within(1e-6f));
        }

        Assert.That((custom.Steps, custom.StepsOf(own)), Is.EqualTo((7, 5)));
        Assert.That(((Momentum)custom).Seen, Is.EqualTo(new[] { 1, 2, 3, 4, 5 }), "skipped steps do not count");
        Assert.That(own.Grad, Is.Null);
    }

    [Test]
    public void Tensors_of_an_update_are_dropped_and_parameters_put_back()
    {
        var parameter = new Parameter(Tensor.Full([2], 3f)) { Constraint = new Halves() };
        Tensor? made = null;
        var optimizer = new Momentum([new ParameterGroup("all", [parameter])], 0f) { Made = tensor => made = tensor };
        parameter.Sum().Backward();
        optimizer.Step();
        Assert.That(parameter.ToArray(), Is.EqualTo(new[] { 1.5f, 1.5f }));
        Assert.That(() => made!.ToArray(), Throws.TypeOf<ObjectDisposedException>());
    }

    sealed class Momentum(IEnumerable<ParameterGroup> groups, float learningRate) : CustomOptimizer(groups, learningRate)
    {
        public List<int> Seen { get; } = [];

        public Action<Tensor>? Made { get; init; }

        public override IReadOnlyList<string> Slots => ["momentum"];

        protected override void Update(ParameterUpdate update)
        {
            var velocity = update.Slots[0] * 0.9f + update.Gradient;
            Made?.Invoke(velocity);
            update.Slots[0].Assign(velocity);
            update.Parameter.Assign(update.Parameter - update.LearningRate * velocity);
            Seen.Add(update.Step);
        }
    }

    sealed class Halves : Constraint
    {
        public override void Retract(Parameter parameter) => parameter.Assign(parameter * 0.5f);
    }
}
