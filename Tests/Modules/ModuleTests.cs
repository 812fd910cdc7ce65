using QuadEngine.Layers;
using QuadEngine.Models;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Modules;

/// <summary>The promises of every module.</summary>
public class ModuleTests
{
    static Tensor Images(int count = 2, int side = 8) => new Dice(5).Values([count, side, side, 3]);

    static float[] Run(Module module, Tensor x)
    {
        using var noGrad = new NoGrad();
        return module.Forward(x).ToArray();
    }

    [Test]
    public void Only_weights_that_say_so_are_turned_in_files()
    {
        var module = new Table();
        var state = module.StateDictionary();
        Assert.That((state["table"].Shape, state["table"].Values), Is.EqualTo((new[] { 2, 3 }, new[] { 0f, 1f, 2f, 3f, 4f, 5f })));
        Assert.That((state["weight"].Shape, state["weight"].Values), Is.EqualTo((new[] { 3, 2 }, new[] { 0f, 3f, 1f, 4f, 2f, 5f })));
        var other = new Table();
        foreach (var parameter in other.Parameters()) parameter.Assign(new float[6]);
        other.LoadStateDictionary(state);
        Assert.That(other.Parameters().Select(parameter => parameter.ToArray()), Is.EqualTo(module.Parameters().Select(parameter => parameter.ToArray())));
    }

    sealed class Table : Module
    {
        public Table()
        {
            Tensor values = Tensor.FromArray([0f, 1f, 2f, 3f, 4f, 5f], [2, 3]);
            Register("table", new Parameter(values));
            Register("weight", new Parameter(values.Clone()) { Layout = FileLayout.OutputsFirst });
        }

        protected override Tensor Compute(Tensor x) => x;
    }

    [Test]
    public void Training_normalises_with_the_batch_and_inference_with_the_running_statistics()
    {
        var norm = new BatchNorm(3, momentum: 1f);
        var x = Images();
        var trained = norm.Forward(x).ToArray();
        Assert.That(norm.Training);
        norm.Eval();
        var mean = norm.RunningMean.ToArray();
        Assert.That(mean, Is.EqualTo(x.Mean([0, 1, 2]).ToArray()).Within(1e-6f));
        // With momentum 1 the two differ only by the factor n / (n - 1) of the unbiased variance.
        var factor = MathF.Sqrt(1f - 1f / (2 * 8 * 8));
        Assert.That(norm.Forward(x).ToArray(), Is.EqualTo(trained.Select(value => value * factor)).Within(1e-4f));
        Assert.That(norm.RunningMean.ToArray(), Is.EqualTo(mean), "inference does not change them");
    }

    [Test]
    public void Dropout_passes_its_input_in_inference()
    {
        var dropout = new QuadEngine.Layers.Dropout(0.5f);
        var x = Tensor.Ones([100]);
        Assert.That(dropout.Forward(x).ToArray(), Does.Contain(0f).And.Contain(2f));
        dropout.Eval();
        Assert.That(dropout.Forward(x).ToArray(), Is.All.EqualTo(1f));
        Assert.That(x.IsDropped, Is.False);
    }

    [Test]
    public void State_dictionaries_have_PyTorch_keys_and_layouts_and_travel_both_ways()
    {
        Generator.Default = new Generator(1);
        var net = ResNet.Cifar(8, neuron: Layers.Neurons.Quadratic(3, new QuadraticOptions { LambdaDeviation = 0.1f }));
        var state = net.StateDictionary();
        Assert.That(state.Keys, Is.SupersetOf((string[])["conv1.weight", "bn1.running_mean", "layer1.0.conv1.weight", "layer1.0.conv1.lambda", "layer3.0.bn2.bias", "linear.weight", "linear.bias"]));
        Assert.That(state["conv1.weight"].Shape, Is.EqualTo((int[])[16, 3, 3, 3]));
        Assert.That(state["linear.weight"].Shape, Is.EqualTo((int[])[10, 64]));

        Generator.Default = new Generator(2);
        var other = ResNet.Cifar(8, neuron: Layers.Neurons.Quadratic(3));
        var x = Images();
        other.Eval();
        net.Eval();
        Assert.That(Run(other, x), Is.Not.EqualTo(Run(net, x)));
        other.LoadStateDictionary(state);
        Assert.That(Run(other, x), Is.EqualTo(Run(net, x)));
    }

    [Test]
    public void A_filter_in_a_file_is_out_in_height_width()
    {
        var conv = new Conv2d(2, 3, 2, bias: false);
        var weight = conv.Weight.ToArray();
        var file = conv.StateDictionary()["weight"].Values;
        foreach (var at in Array64.Indices([3, 2, 2, 2]))
            Assert.That(file[((at[0] * 2 + at[1]) * 2 + at[2]) * 2 + at[3]], Is.EqualTo(weight[((at[2] * 2 + at[3]) * 2 + at[1]) * 3 + at[0]]));
    }

    [Test]
    public void A_wrong_state_dictionary_changes_nothing_and_is_named()
    {
        var net = ResNet.Cifar(8);
        var before = net.StateDictionary()["conv1.weight"].Values;
        var state = ResNet.Cifar(8, classes: 7).StateDictionary();
        Assert.That(() => net.LoadStateDictionary(state), Throws.ArgumentException.With.Message.Contains("linear.weight").And.Message.Contains("[7, 64]").And.Message.Contains("[10, 64]"));
        Assert.That(() => net.LoadStateDictionary(ResNet.Cifar(14).StateDictionary()), Throws.ArgumentException.With.Message.Contains("layer1.1"));
        Assert.That(net.StateDictionary()["conv1.weight"].Values, Is.EqualTo(before));
    }

    [Test]
    public void A_module_prints_as_its_constructor_with_parameter_counts() => Assert.That(
        new Sequential(new Conv2d(3, 16, 3, padding: 1, bias: false), new QuadraticConv2d(16, 8, 3, rank: 3, stride: 2, padding: 1), new Relu()).ToString().Split('\n').Select(line => line.TrimEnd('\r')),
        Is.EqualTo((string[])
        [
            "Sequential {  # 1,598 parameters",
            "  0: Conv2d(3 -> 16, 3x3, padding 1, no bias)  # 432 parameters",
            "  1: QuadraticConv2d(16 -> 8, 3x3, stride 2, padding 1, rank 3)  # 1,166 parameters",
            "  2: Relu",
            "}",
        ]));

    [Test]
    public void Initialisers_have_the_variance_of_their_papers()
    {
        Shape shape = [3, 3, 32, 64];
        double Variance(Tensor w) => w.ToArray().Average(value => (double)value * value);
        Assert.Multiple(() =>
        {
            Assert.That(Variance(Initializers.KaimingNormal(shape, new Generator(1))), Is.EqualTo(2.0 / (9 * 32)).Within(3).Percent);
            Assert.That(Variance(Initializers.KaimingUniform(shape, new Generator(1))), Is.EqualTo(2.0 / (9 * 32)).Within(3).Percent);
            Assert.That(Variance(Initializers.XavierNormal(shape, new Generator(1))), Is.EqualTo(2.0 / (9 * 32 + 9 * 64)).Within(3).Percent);
            Assert.That(Variance(Initializers.XavierUniform(shape, new Generator(1))), Is.EqualTo(2.0 / (9 * 32 + 9 * 64)).Within(3).Percent);
        });
    }

    [TestCase(20, 7)]
    [TestCase(7, 20)]
    public void Orthogonal_weights_are_orthonormal(int rows, int columns)
    {
        var w = Initializers.Orthogonal([rows, columns], new Generator(1));
        var gram = (rows >= columns ? w.Transpose().MatMul(w) : w.MatMul(w.Transpose())).ToArray();
        var n = Math.Min(rows, columns);
        for (var i = 0; i < n * n; i++) Assert.That(gram[i], Is.EqualTo(i / n == i % n ? 1f : 0f).Within(1e-5f));
    }

    // Weight tying: files have one parameter under the names of both places.
    [Test]
    public void A_layer_used_twice_is_learned_and_counted_once()
    {
        var shared = new Linear(3, 3);
        var net = new Sequential(shared, new Layers.Relu(), shared);
        Assert.That(net.ParameterCount, Is.EqualTo(12));
        Assert.That(net.StateDictionary().Keys, Is.EqualTo((string[])["0.weight", "0.bias", "2.weight", "2.bias"]));
        var sgd = new Sgd(net.ParameterGroups(), 0.1f);
        var before = shared.Weight.ToArray();
        net[Tensor.FromArray([1, 1, 1, -1, -1, -1], [2, 3])].Sum().Backward();      // of both signs, so that the ReLU passes some values for any weights
        sgd.Step();
        Assert.That(shared.Weight.ToArray(), Is.Not.EqualTo(before));
    }

    [Test]
    public void Evaluation_leaves_each_module_in_its_mode()
    {
        var frozen = new Layers.BatchNorm(1);
        var net = new Sequential(new Flatten(), frozen, new Linear(1, 1));
        frozen.Eval();
        Evaluation.Run(net, new QuadEngine.Data.ImageDataset("black", new byte[3], new int[3], ["any"], 1, 1, 1));
        Assert.That((net.Training, frozen.Training), Is.EqualTo((true, false)));
    }

    sealed class Net : Module
    {
        readonly Linear body;
        readonly Module[] more = [];

        public Net(string forgotten)
        {
            body = Register("body", new Linear(4, 4));
            Head = forgotten == "head" ? new Linear(4, 2) : Register("head", new Linear(4, 2));
            if (forgotten == "more") more = [new Linear(2, 2)];
            scale = forgotten == "scale" ? new Parameter(Tensor.Ones([2])) : Register("scale", new Parameter(Tensor.Ones([2])));
        }

        public Linear Head { get; }

        readonly Parameter scale;

        protected override Tensor Compute(Tensor x)
        {
            x = Head[body[x].Relu()] * scale;
            foreach (var module in more) x = module[x];
            return x;
        }
    }

    [TestCase("head", "Net: Head, a Linear of 10 learned values")]
    [TestCase("more", "Net: more, a Linear of 6 learned values")]
    [TestCase("scale", "Net: scale, a Parameter of 2 learned values")]
    public void What_would_never_be_trained_is_found_at_the_first_use_by_name(string forgotten, string named)
    {
        var x = Tensor.Ones([3, 4]);
        var net = new Net(forgotten);
        Assert.That(() => net.Forward(x), Throws.InvalidOperationException.With.Message.Contains(named).And.Message.Contains("Register("));
        Assert.That(() => net.Forward(x), Throws.InvalidOperationException, "and again");
        Assert.That(() => new Sequential(net).Forward(x), Throws.InvalidOperationException.With.Message.Contains(named), "at any depth");
        Assert.That(() => Run(net, x), Throws.Nothing, "a teacher learns nothing");
        Assert.That(() => new Net("").Forward(x), Throws.Nothing);
    }

    [Test]
    public void Frozen_modules_and_functions_need_not_be_registered()
    {
        var frozen = new Linear(4, 4);
        foreach (var parameter in frozen.Parameters()) parameter.RequiresGrad = false;
        var y = new Sequential(new Linear(4, 4), new Function("perception", x => frozen[x]), new Function("relu", x => new Relu()[x])).Forward(Tensor.Ones([2, 4]));
        Assert.That(y.RequiresGrad);
    }

    [Test]
    public void Modes_give_back_the_type_they_were_called_on()
    {
        ResNet network = ResNet.Cifar(8).Eval();
        Assert.That(network.Training, Is.False);
        Net net = new Net("").Train().Eval().Train(false).Train();
        Assert.That(net.Training && net.Head.Training);
        Module module = net;
        Assert.That(module.Eval(), Is.SameAs(net));
        Func<Linear> asGroup = net.Head.Eval;
        Assert.That(asGroup(), Is.SameAs(net.Head));
    }
}
