using System.Reflection;
using QuadEngine.Layers;
using QuadEngine.Models;
using Module = QuadEngine.Layers.Module;

namespace QuadEngine.Tests.Onnx;

/// <summary>Every operation of inference has the same values in ONNX Runtime, for both orders of the axes of its images.</summary>
public class OperationExportTests
{
    static readonly Shape Image = [5, 6, 4], Sequence = [5, 7], Row = [7];

    static TestCaseData Case(string name, Shape shape, Func<Tensor, Tensor> function) => new TestCaseData(shape, new Function(name, function)).SetName(name);

    // The operation follows a convolution, whose result has its channels first in the file.
    static TestCaseData AfterConv(string name, Func<Tensor, Tensor> function)
    {
        var conv = new Conv2d(4, 4, 3, padding: 1);
        return new TestCaseData(Image, new Sequential(conv, new Function(name, function))).SetName($"{name}, after a convolution");
    }

    public static IEnumerable<TestCaseData> Shaping()
    {
        (string, Func<Tensor, Tensor>)[] moves =
        [
            ("transpose", x => x.Transpose(0, 2, 1, 3)),
            ("to channels first", x => x.ToChannelsFirst()),
            ("to channels first and back", x => x.ToChannelsFirst().Relu().ToChannelsLast()),
            ("flatten", x => x.Flatten()),
            ("reshape", x => x.Reshape(-1, 30, 4)),
            ("slice of channels", x => x.Slice(3, 1, 2)),
            ("slice of rows", x => x.Slice(1, 2, 3)),
            ("subsample", x => x.Subsample(1, 2).Subsample(2, 3)),
            ("pad channels", x => x.Pad(3, 2, 1)),
            ("pad rows with a value", x => x.Pad(1, 0, 2, value: 3f)),
            ("concat", x => Tensor.Concat([x, x.Relu(), x.Slice(3, 0, 1)], axis: 3)),
            ("stack", x => Tensor.Stack([x, x.Relu()], axis: -1)),
            ("stack of channels", x => Tensor.Stack(x.Split(2, axis: 3), axis: 3)),
            ("split by sizes", x => x.Split([1, 3], axis: -1)[1]),
            ("unsqueeze and squeeze", x => x.Unsqueeze(2).Square().Squeeze(2)),
            ("two axes that change places", x => x.SwapAxes(1, -1)),
            ("upsample", x => x.Upsample(2)),
            ("expand", x => x.Mean([3], keepDims: true).Expand(x.Shape)),
        ];
        foreach (var (name, move) in moves)
        {
            yield return Case(name, Image, move);
            yield return AfterConv(name, move);
        }
    }

    public static IEnumerable<TestCaseData> Reductions()
    {
        (string, Func<Tensor, Tensor>)[] folds =
        [
            ("sum of channels", x => x.Sum([3])),
            ("sum of rows and columns", x => x.Sum([1, 2])),
            ("mean of all but the batch", x => x.Mean([1, 2, 3])),
            ("mean of rows and channels", x => x.Mean([1, 3], keepDims: true)),
            ("maximum of columns", x => x.Max([2])),
            ("minimum of channels", x => x.Min([3], keepDims: true)),
            ("variance of channels", x => x.Variance([3])),
            ("mean of one axis", x => x.Mean(axis: -1, keepDims: true)),
            ("softmax of rows", x => x.Softmax(axis: 1)),
            ("softmax", x => x.Softmax()),
            ("log softmax", x => x.LogSoftmax()),
            ("max pool", x => x.MaxPool2d(3, stride: 2, padding: 1)),
            ("max pool, dilated", x => x.MaxPool2d(2, stride: 1, dilation: 2)),
            ("average pool", x => x.AvgPool2d(3, stride: 2, padding: 1)),
            ("global average", x => x.GlobalAvgPool2d()),
        ];
        foreach (var (name, fold) in folds)
        {
            yield return Case(name, Image, fold);
            yield return AfterConv(name, fold);
        }
    }

    public static IEnumerable<TestCaseData> Broadcasts()
    {
        Tensor channels = Tensor.FromArray([1f, -2f, 3f, 0.5f], [4]).Keep(), column = Tensor.FromArray([1f, 2f, 3f, 4f, 5f], [5, 1, 1]).Keep();
        (string, Func<Tensor, Tensor>)[] sums =
        [
            ("a number a channel", x => x * channels.To(x.Device)),
            ("a number a row", x => column.To(x.Device) - x),
            ("a scalar", x => 2f / (x.Square() + 1f)),
            ("a reduction of its own", x => x - x.Mean([1, 2], keepDims: true)),
            ("images in both orders", x => x + x.Transpose(0, 1, 2, 3).Relu()),
        ];
        foreach (var (name, sum) in sums)
        {
            yield return Case(name, Image, sum);
            yield return AfterConv(name, sum);
        }
    }

    public static IEnumerable<TestCaseData> Projections()
    {
        var matrix = Tensor.Uniform([7, 5], -1f, 1f, new Generator(4)).Keep();
        yield return Case("two matrices of the input", Sequence, x => x.MatMul(x.Transpose(0, 2, 1)));
        yield return Case("two matrices of the input, one transposed", Sequence, x => x.MatMul(x, transposeOther: true));
        yield return Case("two matrices of the input, the other transposed", Sequence, x => x.MatMul(x, transposeThis: true));
        yield return Case("matrices, transposed, times a constant", Sequence, x => x.MatMul(matrix.To(x.Device), transposeThis: true, transposeOther: true));
        yield return Case("rows times a constant, transposed", Row, x => x.MatMul(matrix.Transpose().To(x.Device), transposeOther: true));
        yield return Case("numbers that the network makes", Row, x => x * Tensor.Arange(7, x.Device) + Tensor.Linspace(0, 1, 7, x.Device) - Tensor.Eye(7, x.Device).Sum(0));
        yield return new TestCaseData(Sequence, new Linear(7, 3).Awaken()).SetName("linear over three axes");
        yield return new TestCaseData(Row, new Sequential(new Linear(7, 5), new BatchNorm(5), new Relu(), new Linear(5, 3, bias: false)).Awaken()).SetName("dense network");
        yield return new TestCaseData(Row, new Sequential(new Linear(7, 6), new LayerNorm(6)).Awaken()).SetName("layer norm");
        yield return new TestCaseData(Image, new Sequential(new Conv2d(4, 6, 3), new LayerNorm(6)).Awaken()).SetName("layer norm of images");
        yield return new TestCaseData(Sequence, new BatchNorm(7).Awaken()).SetName("batch norm over three axes");
        yield return new TestCaseData(Image, new Conv2d(4, 6, 3, stride: 2, padding: 2, dilation: 2, groups: 2).Awaken()).SetName("convolution in groups, dilated, with a step");
        yield return new TestCaseData(Sequence, new Sequential(new Linear(7, 12), new MultiHeadAttention(12, 3, causal: true)).Awaken()).SetName("causal attention of one projection");
        yield return new TestCaseData(Sequence, new Sequential(new Linear(7, 12), new TransformerBlock(12, 2, 20)).Awaken()).SetName("block of a transformer");
        var bias = Tensor.Uniform([5, 5], -1f, 1f, new Generator(6)).Keep();
        yield return Case("attention of three tensors with a mask", Sequence, x => x.Attention(x.Square(), x.Relu(), heads: 7, mask: bias.To(x.Device), scale: 0.3f));
        yield return new TestCaseData(Image, new Linear(4, 3).Awaken()).SetName("linear over pixels");
        yield return new TestCaseData(Row, new Identity()).SetName("nothing");
    }

    [TestCaseSource(nameof(Shaping))]
    [TestCaseSource(nameof(Reductions))]
    [TestCaseSource(nameof(Broadcasts))]
    [TestCaseSource(nameof(Projections))]
    public void Exported_operation_agrees(Shape shape, Module module)
    {
        using var run = new OnnxRun(module, shape);
        foreach (var batch in new[] { 1, 3 })
            run.AssertAgreement(Tensor.Uniform([batch, .. shape], -1f, 1f, new Generator(2)));
    }

    static IEnumerable<Type> Structs(Type contract) => contract.Assembly.GetTypes().Where(type => type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == contract));

    public static IEnumerable<Type> UnaryOperations() => Structs(typeof(IUnaryOp<>));

    public static IEnumerable<Type> BinaryOperations() => Structs(typeof(IBinaryOp<>));

    [TestCaseSource(nameof(UnaryOperations))]
    public void Every_unary_operation_agrees(Type operation)
    {
        var apply = typeof(Elementwise).GetMethods().Single(method => method.Name == "Apply" && method.GetGenericArguments()[0].GetGenericParameterConstraints().Any(c => c.Name.StartsWith("IUnaryOp", StringComparison.Ordinal)));
        using var run = new OnnxRun(new Function(operation.Name, x => (Tensor)Invoke(apply, operation, x)!), Row);
        run.AssertAgreement(Tensor.Uniform([3, 7], operation == typeof(SignOp) ? -2f : 0.1f, 2f, new Generator(3)), 1e-5f);
    }

    [TestCaseSource(nameof(BinaryOperations))]
    public void Every_binary_operation_agrees(Type operation)
    {
        var apply = typeof(Elementwise).GetMethods().Single(method => method.Name == "Apply" && method.GetParameters().Length == 2 && method.GetParameters()[1].ParameterType == typeof(Tensor));
        var other = Tensor.FromArray([0.5f, operation == typeof(DivideOp) ? 4f : 0f, 1.5f, 2f, -1f, 3f, 1f], Row).Keep();
        using var run = new OnnxRun(new Function(operation.Name, x => (Tensor)Invoke(apply, operation, x, other.To(x.Device))!), Row);
        run.AssertAgreement(Tensor.FromArray([.. Enumerable.Range(0, 21).Select(i => 0.5f * (i % 5) + 0.5f)], [3, 7]), 1e-5f);
    }

    static object? Invoke(MethodInfo method, Type operation, params object[] arguments) => method.MakeGenericMethod(operation).Invoke(null, BindingFlags.DoNotWrapExceptions, null, arguments, null);
}
