namespace QuadEngine.Tests.Operations;

/// <summary>Compares with results that PyTorch computed (PyTorch/make.py): operations and their gradients, losses, optimizers, schedules. Names and semantics are PyTorch's.</summary>
public class SameAsPyTorchTests
{
    static readonly IReadOnlyDictionary<string, HostTensor> File = WeightFile.Read(Repository.PathOf("Tests", "Operations", "PyTorch", "semantics.safetensors"));

    static Tensor Read(string name) => Tensor.FromArray(File[name].Values, File[name].Shape);

    static Tensor Leaf(string name)
    {
        var leaf = Read(name);
        leaf.RequiresGrad = true;
        return leaf;
    }

    // The error of a sum of products is relative to the scale of its terms. The scale is bounded, so that large values of a function do not hide errors of small ones.
    static void Same(string name, Tensor? got)
    {
        var expected = File[name].Values;
        var scale = Math.Min(10f, expected.Max(MathF.Abs));
        Assert.That(got!.Shape.ToArray(), Is.EqualTo(File[name].Shape), name);
        Assert.That(got.ToArray(), Is.EqualTo(expected).Using<float>((a, b) => MathF.Abs(a - b) <= 2e-6f + 4e-6f * MathF.Max(scale, MathF.Abs(b))), name);
    }

    // Compares the result and the gradients of the leaves with these names.
    static void Same(string name, Tensor y, params ReadOnlySpan<(string Name, Tensor Leaf)> leaves)
    {
        Same($"{name}.y", y);
        y.Backward(File.ContainsKey($"{name}.c") ? Read($"{name}.c") : Tensor.Ones(y.Shape));
        foreach (var (leaf, tensor) in leaves) Same($"{name}.d{leaf}", tensor.Grad);
    }

    [Test]
    public void Batch_norm()
    {
        Tensor x = Leaf("batch_norm.x"), gamma = Leaf("batch_norm.gamma"), beta = Leaf("batch_norm.beta");
        var running = new RunningStatistics(Tensor.Zeros([5]), Tensor.Ones([5]), Momentum: 0.3f);
        _ = (x.Detach() * 2f).BatchNorm(null, null, running);
        Same("batch_norm", x.BatchNorm(gamma, beta, running), ("x", x), ("gamma", gamma), ("beta", beta));
        Same("batch_norm.mean", running.Mean);
        Same("batch_norm.variance", running.Variance);
        Same("batch_norm.inference", x.BatchNormInference(running.Mean, running.Variance, gamma, beta));
    }

    [Test]
    public void Layer_norm()
    {
        Tensor x = Leaf("layer_norm.x"), gamma = Leaf("layer_norm.gamma"), beta = Leaf("layer_norm.beta");
        Same("layer_norm", x.LayerNorm(gamma, beta), ("x", x), ("gamma", gamma), ("beta", beta));
    }

    [TestCase(1, 1, 1, 1)]
    [TestCase(2, 1, 1, 1)]
    [TestCase(1, 2, 2, 2)]
    [TestCase(2, 3, 1, 4)]
    [TestCase(3, 0, 2, 1)]
    public void Convolution(int stride, int padding, int dilation, int groups)
    {
        var name = $"conv2d {stride} {padding} {dilation} {groups}";
        Tensor x = Leaf($"{name}.x"), w = Leaf($"{name}.w"), b = Leaf($"{name}.b");
        Same(name, x.Conv2d(w, b, stride, padding, dilation, groups), ("x", x), ("w", w), ("b", b));
    }

    static readonly TestCaseData[] OfOneTensor =
    [
        new("average_pool", (Tensor x) => x.AvgPool2d(kernelSize: 3, stride: 2, padding: 1)),
        new("max_pool", (Tensor x) => x.MaxPool2d(kernelSize: 3, stride: 2, padding: 1)),
        new("global_average", (Tensor x) => x.GlobalAvgPool2d()),
        new("relu", (Tensor x) => x.Relu()),
        new("leaky_relu", (Tensor x) => x.LeakyRelu(0.1f)),
        new("gelu", (Tensor x) => x.Gelu()),
        new("silu", (Tensor x) => x.Silu()),
        new("softplus", (Tensor x) => x.Softplus()),
        new("tanh", (Tensor x) => x.Tanh()),
        new("sigmoid", (Tensor x) => x.Sigmoid()),
        new("abs", (Tensor x) => x.Abs()),
        new("clamp", (Tensor x) => x.Clamp(-2f, 2f)),
        new("maximum", (Tensor x) => x.Maximum(2f)),
        new("square", (Tensor x) => x.Square()),
        new("pow", (Tensor x) => x.Pow(3f)),
        new("max", (Tensor x) => x.Max([1])),
        new("softmax", (Tensor x) => x.Softmax()),
        new("log_softmax", (Tensor x) => x.LogSoftmax()),
        new("cross_entropy", (Tensor x) => Losses.CrossEntropy(x, Labels)),
        new("cross_entropy_smooth", (Tensor x) => Losses.CrossEntropy(x, Labels, smoothing: 0.1f)),
        new("cross_entropy_far", (Tensor x) => Losses.CrossEntropy(x, Labels, smoothing: 0.2f)),
        new("binary_cross_entropy", (Tensor x) => Losses.BinaryCrossEntropyWithLogits(x, Read("binary_cross_entropy.target"))),
        new("binary_cross_entropy_far", (Tensor x) => Losses.BinaryCrossEntropyWithLogits(x, Read("binary_cross_entropy_far.target"))),
    ];

    static IntTensor Labels => IntTensor.FromArray([.. File["labels.values"].Values.Select(value => (int)value)]);

    [TestCaseSource(nameof(OfOneTensor))]
    public void Function(string name, Func<Tensor, Tensor> function)
    {
        var x = Leaf($"{name}.x");
        Same(name, function(x), ("x", x));
    }

    static readonly TestCaseData[] Optimizers =
    [
        new("sgd", (ParameterGroup[] groups) => new Sgd(groups, 0.1f)),
        new("sgd_momentum", (ParameterGroup[] groups) => new Sgd(groups, 0.1f, momentum: 0.9f, weightDecay: 0.05f, dampening: 0.3f)),
        new("sgd_nesterov", (ParameterGroup[] groups) => new Sgd(groups, 0.1f, momentum: 0.9f, weightDecay: 0.05f, nesterov: true)),
        new("adamw", (ParameterGroup[] groups) => new AdamW(groups, 0.1f, weightDecay: 0.05f)),
    ];

    [TestCaseSource(nameof(Optimizers))]
    public void Optimizer(string name, Func<ParameterGroup[], Optimizer> make)
    {
        Parameter[] parameters = [.. Enumerable.Range(0, 3).Select(i => new Parameter(Read($"{name}.start{i}")))];
        var optimizer = make([new("first", [parameters[0], parameters[2]]), new("second", [parameters[1]]) { LearningRateMultiplier = 0.1f, WeightDecay = 0.2f }]);
        for (var step = 0; step < 6; step++)
        {
            for (var i = 0; i < parameters.Length; i++)
                if (File.ContainsKey($"{name}.gradient{step}{i}")) parameters[i].Grad = Read($"{name}.gradient{step}{i}");
            if (step >= 3) Assert.That(GradientClipping.ByNorm(parameters, step < 5 ? 1f : 1e3f), Is.EqualTo(File[$"{name}.norm{step}"].Values[0]).Within(1e-5f));
            optimizer.Step();
        }

        for (var i = 0; i < parameters.Length; i++) Same($"{name}.end{i}", parameters[i]);
    }

    static readonly TestCaseData[] Schedules =
    [
        new("milestones", new Milestones([3, 8])),
        new("cosine", new Cosine(13, Floor: 0.05f)),
        new("warm_up", new WarmUp(5, From: 0.2f)),
        new("chain", new Cosine(9).WithWarmUp(4, from: 0.25f)),
    ];

    [TestCaseSource(nameof(Schedules))]
    public void Learning_rates(string name, Schedule schedule) =>
        Assert.That(Enumerable.Range(0, 14).Select(schedule.At), Is.EqualTo(File[$"{name}.factors"].Values).Within(1e-6f));
}
