namespace QuadEngine.Tests.Operations;

/// <summary>Operations accept an empty batch like any other: its result has no elements, and it adds 0 to every gradient.</summary>
public class EmptyBatchTests
{
    static readonly TestCaseData[] Steps =
    [
        Step("Conv2d", [8, 8, 16], [[3, 3, 16, 16], [16]], (x, p) => x.Conv2d(p[0], p[1], padding: 1)),
        Step("Conv2d of stride 2", [8, 8, 5], [[3, 3, 5, 7], [7]], (x, p) => x.Conv2d(p[0], p[1], stride: 2)),
        Step("Conv2d in groups", [8, 8, 6], [[3, 3, 2, 9], [9]], (x, p) => x.Conv2d(p[0], p[1], groups: 3)),
        Step("MatMul", [12], [[12, 5], [5]], (x, p) => x.MatMul(p[0], bias: p[1])),
        Step("MatMul of batches", [3, 4], [[4, 2]], (x, p) => x.MatMul(x.Transpose(0, 2, 1)).Reshape([x.Shape[0], 9])),
        Step("MatMul of transposed batches with one matrix", [4, 3], [[2, 4]], (x, p) => x.MatMul(p[0], transposeThis: true, transposeOther: true)),
        Step("MatMul of batches, transposed", [3, 4], [], (x, _) => x.MatMul(x, transposeOther: true)),
        Step("BatchNorm.Infer", [4, 3], [[3], [3]], (x, p) => x.BatchNormInference(Tensor.Zeros([3]), Tensor.Ones([3]), p[0], p[1])),
        Step("LayerNorm", [4, 3], [[3], [3]], (x, p) => x.LayerNorm(p[0], p[1])),
        Step("QuadraticNeuron", [9], [[6]], (x, p) => x.QuadraticNeuron(p[0], new NeuronLayout(9, 2))),
        Step("Softmax", [5], [], (x, _) => x.Softmax()),
        Step("Attention", [4, 6], [], (x, _) => x.Attention(x, x, heads: 2, causal: true)),
        Step("SelfAttention", [4, 6], [[6, 18]], (x, p) => x.MatMul(p[0]).SelfAttention(heads: 2)),
        Step("Dropout", [5], [], (x, _) => x.Dropout(0.5f, new Generator(1))),
        Step("MaxPool2d", [6, 6, 3], [], (x, _) => x.MaxPool2d(2)),
        Step("AvgPool2d", [6, 6, 3], [], (x, _) => x.AvgPool2d(2)),
        Step("GlobalAverage", [6, 6, 3], [], (x, _) => x.GlobalAvgPool2d()),
        Step("Unfold", [6, 6, 3], [], (x, _) => x.Unfold(2)),
        Step("Upsample", [3, 3, 2], [], (x, _) => x.Upsample(2)),
        Step("Pad and Concat", [4], [], (x, _) => Tensor.Concat([x.Pad(1, 1, 2), x], 1)),
        Step("Transpose", [4, 3], [], (x, _) => x.Transpose(2, 0, 1)),
        Step("Binary with broadcasting", [4], [[4], [1]], (x, p) => x * p[0] + p[1]),
        Step("Max along an axis", [4], [], (x, _) => x.Max([1])),
        Step("Mean along one axis", [4], [], (x, _) => x.Mean(-1)),
        Step("Split and Stack", [6], [], (x, _) => Tensor.Stack(x.Split(2, 1), 1)),
        Step("Split in sizes", [6], [], (x, _) => x.Split([0, 2, 4], -1)[2]),
        Step("Split of the batch", [6], [], (x, _) => Tensor.Concat([x, .. x.Split(1)])),
        Step("Unsqueeze and Squeeze", [6], [], (x, _) => x.Unsqueeze(1).Squeeze(1)),
    ];

    static TestCaseData Step(string name, int[] sample, int[][] parameters, Func<Tensor, Parameter[], Tensor> apply) => new TestCaseData(sample, parameters, apply).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Steps))]
    public void Its_gradients_are_zero(int[] sample, int[][] shapes, Func<Tensor, Parameter[], Tensor> apply)
    {
        var parameters = shapes.Select(shape => new Parameter(Tensor.Uniform(shape, generator: new Generator(3)))).ToArray();

        // An ordinary step runs first, so that memory does not hold 0.
        Run(2);
        foreach (var parameter in parameters) parameter.ClearGrad();
        var (x, y) = Run(0);
        Assert.That(y.Length, Is.Zero);
        Assert.That(x.Grad!.Shape, Is.EqualTo(x.Shape));
        foreach (var parameter in parameters.Where(parameter => parameter.Grad is not null)) Assert.That(parameter.Grad!.ToArray(), Is.All.Zero);

        (Tensor X, Tensor Y) Run(int batch)
        {
            var x = Tensor.Uniform([batch, .. sample], generator: new Generator(2));
            x.RequiresGrad = true;
            var y = apply(x, parameters);
            y.Sum().Backward();
            return (x, y);
        }
    }

    [Test]
    public void A_sum_over_no_channels_is_the_bias()
    {
        using Tensor x = Tensor.Empty([2, 5, 5, 0]), filter = Tensor.Empty([3, 3, 0, 16]), bias = Tensor.Full([16], 1.5f), rows = Tensor.Empty([7, 0]), columns = Tensor.Empty([0, 16]);
        using Tensor convolved = x.Conv2d(filter, bias, padding: 1), product = rows.MatMul(columns, bias: bias);
        Assert.That(convolved.ToArray(), Has.Length.EqualTo(2 * 5 * 5 * 16).And.All.EqualTo(1.5f));
        Assert.That(product.ToArray(), Has.Length.EqualTo(7 * 16).And.All.EqualTo(1.5f));
    }

    [Test]
    public void A_stride_above_the_window_leaves_pixels_without_a_gradient()
    {
        var x = Tensor.Ones([1, 4, 4, 8]);
        x.RequiresGrad = true;
        x.Conv2d(Tensor.Ones([1, 1, 8, 1]), stride: 2).Sum().Backward();
        Assert.That(x.Grad!.ToArray(), Is.EqualTo(Enumerable.Range(0, 128).Select(i => i / 8 % 2 == 0 && i / 32 % 2 == 0 ? 1f : 0f)));
    }
}
