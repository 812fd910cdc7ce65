using QuadEngine.Layers;
using QuadEngine.Operations;

namespace QuadEngine.Tests.Autograd;

/// <summary>A recomputed function gives the same results both times.</summary>
public class RecomputeTests
{
    static Tensor Leaf(Shape shape)
    {
        var x = Tensor.Uniform(shape, generator: new Generator(3));
        x.RequiresGrad = true;
        return x;
    }

    // y = mask * 1 and dx = mask * 1.
    [Test]
    public void Dropout_draws_its_mask_again_and_no_generator_moves([Values] bool own, [Values] bool nested)
    {
        var generator = own ? new Generator(7) : Generator.Default;
        var x = Tensor.Ones([1, 1000]);
        x.RequiresGrad = true;
        Func<Tensor, Tensor> drop = t => t.Dropout(0.5f, own ? generator : null).Dropout(0.2f);
        var start = generator.Position;
        var y = Recompute.Apply("block", x, [], nested ? t => Recompute.Apply("inner", t, [], drop) : drop);
        var position = generator.Position;
        y.Backward(Tensor.Ones(y.Shape), retainGraph: true);
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(y.ToArray()));
        y.Backward(Tensor.Ones(y.Shape));
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(y.ToArray().Select(value => 2 * value)));
        Assert.That((position - start, generator.Position - position), Is.EqualTo((own ? 1UL : 2UL, 0UL)));
    }

    [Test]
    public void A_function_that_draws_more_the_second_time_is_refused()
    {
        var x = Leaf([4]);
        var y = Recompute.Apply("block", x, [], t => Recompute.Again ? t.Dropout(0.5f) : t * 2f);
        Assert.That(() => y.Backward(Tensor.Ones([4])), Throws.InvalidOperationException.With.Message.Contains("Recompute"));
    }

    [TestCase("linear")]
    [TestCase("quadratic")]
    [TestCase("fan")]
    public void Overwritten_weights_are_refused(string neuron)
    {
        var layer = (Layers.Neurons.Get(neuron) with { Recompute = true }).Dense(2, 4);
        var weight = layer.Parameters().First();
        var x = Leaf([1, 2]);
        var y = layer[x];
        weight.Assign(new float[weight.Length]);
        Assert.That(() => y.Backward(Tensor.Ones(y.Shape)), Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }

    [Test]
    public void Overwritten_statistics_are_refused_where_they_were_read([Values] bool training)
    {
        var layer = (Layers.Neurons.QuadraNN() with { Recompute = true }).Dense(2, 4);
        layer.Train(training);
        var statistics = layer.NamedBuffers().First().Buffer;
        var x = Leaf([3, 2]);
        var y = layer[x];
        statistics.Assign(new float[statistics.Length]);
        Assert.That(() => y.Backward(Tensor.Ones(y.Shape)), training ? Throws.Nothing : Throws.InvalidOperationException.With.Message.Contains("overwritten"));
    }

    [Test]
    public void The_mode_is_that_of_the_first_time([Values] bool training, [Values] bool byFlow)
    {
        var expected = Gradient(recompute: false, change: false);
        Assert.That(Gradient(recompute: true, change: false), Is.EqualTo(expected).Within(1e-5f));
        Assert.That(Gradient(recompute: true, change: true), Is.EqualTo(expected).Within(1e-5f));

        float[] Gradient(bool recompute, bool change)
        {
            var net = new Sequential(new BatchNorm(4), new Layers.Dropout(0.5f, new Generator(1)));
            if (!byFlow) net.Train(training);
            var x = Leaf([16, 4]);
            Tensor y;
            using (EvaluationMode? mode = byFlow && !training ? new EvaluationMode() : null)
                y = recompute ? Recompute.Apply("block", x, [.. net.Parameters()], net.Forward) : net[x];
            var before = net.NamedBuffers().Select(entry => entry.Buffer.ToArray()).ToArray();
            if (change) net.Train(!net.Training);
            y.Backward(Tensor.Uniform(y.Shape, generator: new Generator(9)));
            Assert.That(net.NamedBuffers().Select(entry => entry.Buffer.ToArray()), Is.EqualTo(before), "statistics change only in the first pass");
            return x.Grad!.ToArray();
        }
    }

    [Test]
    public void Linear_neurons_recompute_when_asked([Values] bool conv)
    {
        var neuron = Layers.Neurons.Linear with { Recompute = true };
        var layer = conv ? neuron.Conv2d(2, 3, 3) : neuron.Dense(2, 3);
        using var counter = new MultiplyAddCounter();
        var y = layer[Leaf(conv ? [1, 8, 8, 2] : [5, 2])];
        y.ToArray();
        var forward = counter.Count;
        y.Backward(Tensor.Ones(y.Shape));
        Assert.That(((NeuronLayer)layer).Neuron, Is.SameAs(neuron));
        Assert.That(forward, Is.GreaterThan(0));
        Assert.That(layer.ToString(), Does.StartWith(conv ? "Conv2d(2 -> 3, 3x3)" : "Linear(2 -> 3)"));
    }

    [Test]
    public void A_function_that_gives_its_input_back_gives_another_handle()
    {
        var x = Leaf([3]);
        using (var y = Recompute.Apply("identity", x, [], t => t))
        {
            y.Backward(Tensor.Ones([3]));
            Assert.That(y, Is.Not.SameAs(x));
        }

        Assert.That(x.IsDropped, Is.False);
        Assert.That(x.Grad!.ToArray(), Is.All.EqualTo(1f));
    }
}
