namespace QuadEngine.Tests.Operations;

/// <summary>An error message names the operation, what it got, what it expected, and a solution if there is one.</summary>
public class ErrorMessageTests
{
    static Tensor Zeros(params int[] shape) => Tensor.Zeros(shape);

    static readonly TestCaseData[] Refusals =
    [
        Refusal("Conv2d: input has 3 channels (shape [2, 8, 8, 3]) but the filter expects 16 (shape [3, 3, 16, 32], 1 groups).*ToChannelsLast", () => Zeros(2, 8, 8, 3).Conv2d(Zeros(3, 3, 16, 32))),
        Refusal("Conv2d: the window covers 5x5 but the input, with padding 0, has 4x4", () => Zeros(1, 4, 4, 1).Conv2d(Zeros(5, 5, 1, 1))),
        Refusal("Conv2d: 2 groups do not divide 3 input", () => Zeros(1, 4, 4, 3).Conv2d(Zeros(1, 1, 1, 4), groups: 2)),
        Refusal("Conv2d: the bias has shape [3]; it must be [4]", () => Zeros(1, 4, 4, 3).Conv2d(Zeros(1, 1, 3, 4), Zeros(3))),
        Refusal("Conv2d: .*stride 0", () => Zeros(1, 4, 4, 3).Conv2d(Zeros(1, 1, 3, 4), stride: 0)),
        Refusal("MatMul: the left operand has 3 columns (shape [2, 3]) but the right 4 rows (shape [4, 5])", () => Zeros(2, 3).MatMul(Zeros(4, 5))),
        Refusal("MatMul: the leading axes of [2, 3, 4] and [5, 4, 1] differ", () => Zeros(2, 3, 4).MatMul(Zeros(5, 4, 1))),
        Refusal("add: shapes [2, 3] and [4] do not broadcast", () => Zeros(2, 3) + Zeros(4)),
        Refusal("Reshape: shape [2, 3] has 6 elements but [4] has 4", () => Zeros(2, 3).Reshape(4)),
        Refusal("Reshape: shape [2, 3] of 6 elements does not divide into [4, -1]", () => Zeros(2, 3).Reshape(4, -1)),
        Refusal("Slice: 2 elements from 3 on are outside axis 0 of shape [4], which has 4", () => Zeros(4).Slice(0, 3, 2)),
        Refusal("Slice: 2147483647 elements from 1 on are outside", () => Zeros(4).Slice(0, 1, int.MaxValue)),
        Refusal("Slice: axis 2 is outside shape [4, 2], which has 2 axes; use -2 to 1", () => Zeros(4, 2).Slice(2, 0, 1)),
        Refusal("Concat: shapes [2, 3] and [2, 4] differ outside axis 0", () => Tensor.Concat([Zeros(2, 3), Zeros(2, 4)], 0)),
        Refusal("Concat: there are no tensors", () => Tensor.Concat([], 0)),
        Refusal("Stack: there are no tensors", () => Tensor.Stack([])),
        Refusal("Stack: shapes [2, 3] and [2, 4] differ; they must be equal.*Concat", () => Tensor.Stack([Zeros(2, 3), Zeros(2, 4)])),
        Refusal("Stack: a new axis cannot be at 3 in shape [2, 3], which has 2 axes; use -3 to 2", () => Tensor.Stack([Zeros(2, 3)], 3)),
        Refusal("Split: the parts would have 0 elements; expected 1 or more", () => Zeros(4).Split(0)),
        Refusal("Split: axis 1 is outside shape [4]", () => Zeros(4).Split(2, 1)),
        Refusal("Split: the sizes of the parts are [1, 2]; expected 0 or more each, and 4 together", () => Zeros(4).Split([1, 2])),
        Refusal("Split: the sizes of the parts are [-1, 5]; expected 0 or more each", () => Zeros(4).Split([-1, 5])),
        Refusal("Squeeze: axis 1 of shape [1, 2] has 2 elements; only an axis of extent 1", () => Zeros(1, 2).Squeeze(1)),
        Refusal("Squeeze: axis 0 is outside shape []", () => Tensor.Scalar(1f).Squeeze(0)),
        Refusal("Unsqueeze: a new axis cannot be at 4 in shape [2, 3], which has 2 axes; use -3 to 2", () => Zeros(2, 3).Unsqueeze(4)),
        Refusal("SwapAxes: axis 2 is outside shape [2, 3]", () => Zeros(2, 3).SwapAxes(0, 2)),
        Refusal("Sum: axis -3 is outside shape [2, 3], which has 2 axes; use -2 to 1", () => Zeros(2, 3).Sum(-3)),
        Refusal("max: axis 2 is outside shape [2, 3]", () => Zeros(2, 3).Max(2)),
        Refusal("Mean: shape [0, 3] has no elements", () => Zeros(0, 3).Mean(0)),
        Refusal("ArgMin: axis 0 of shape [0] is empty", () => Zeros(0).ArgMin()),
        Refusal("Softmax: axis 2 is outside shape [2, 3]", () => Zeros(2, 3).Softmax(2)),
        Refusal("MatMul: the left operand has 3 columns (shape [3, 2], transposed) but the right 4 rows (shape [5, 4], transposed)", () => Zeros(3, 2).MatMul(Zeros(5, 4), true, true)),
        Refusal("Arange: the range is from 0 to 1 in steps of 0; expected", () => Tensor.Arange(0, 1, 0)),
        Refusal("Arange: steps of -1 lead from 0 away from 1", () => Tensor.Arange(0, 1, -1)),
        Refusal("Arange: the range is from 0 to NaN", () => Tensor.Arange(0, double.NaN)),
        Refusal("Arange: the range from 0 to 1E+20 in steps of 1 has 1E+20 numbers; a tensor holds at most 2^31 - 1", () => Tensor.Arange(0, 1e20)),
        Refusal("Arange: the count is -1; expected 0 or more", () => Tensor.Arange(-1)),
        Refusal("Linspace: the count is -1; expected 0 or more", () => Tensor.Linspace(0, 1, -1)),
        Refusal("Linspace: the range is from 0 to 1E+40; expected bounds that are finite", () => Tensor.Linspace(0, 1e40, 3)),
        Refusal("Arange: the range is from 0 to 1 in steps of 0; expected", () => IntTensor.Arange(0, 1, 0)),
        Refusal("Arange: steps of 2 lead from 5 away from 1", () => IntTensor.Arange(5, 1, 2)),
        Refusal("Arange: the range from -2147483648 to 2147483647 in steps of 1 has 4294967295 numbers", () => IntTensor.Arange(int.MinValue, int.MaxValue)),
        Refusal("Transpose: [0, 0] is not an order of the 2 axes", () => Zeros(2, 3).Transpose(0, 0)),
        Refusal("Expand: shape [3] does not expand to [2]|do not broadcast", () => Zeros(3).Expand([2])),
        Refusal("Flatten: .*[]", () => Tensor.Scalar(1f).Flatten()),
        Refusal("BatchNorm: in training each channel needs more than one value, but the input has shape [1, 3]", () => Zeros(1, 3).BatchNorm(null, null)),
        Refusal("BatchNorm: a parameter has shape [4] but the input [2, 3] has 3 channels", () => Zeros(2, 3).BatchNorm(Zeros(4), null)),
        Refusal("LayerNorm: a parameter has shape [4] but the input [2, 3] needs [3]", () => Zeros(2, 3).LayerNorm(Zeros(4), null)),
        Refusal("CrossEntropy: there are 3 labels for 2 rows", () => Losses.CrossEntropy(Zeros(2, 5), IntTensor.FromArray([0, 1, 2]))),
        Refusal("CrossEntropy: .*5", () => Losses.CrossEntropy(Zeros(2, 5), IntTensor.FromArray([0, 5]))),
        Refusal("CrossEntropy: .*-1", () => Losses.CrossEntropy(Zeros(2, 5), IntTensor.FromArray([-1, 0]))),
        Refusal("CrossEntropy: the smoothing is 1;", () => Losses.CrossEntropy(Zeros(2, 5), IntTensor.FromArray([0, 1]), 1f)),
        Refusal("CrossEntropy: the logits have shape [0, 5]; a mean over rows needs 1 row", () => Losses.CrossEntropy(Zeros(0, 5), IntTensor.FromArray([]))),
        Refusal("CrossEntropy: the logits have shape [2, 0]; a mean over rows needs 1 row and 1 class", () => Losses.CrossEntropy(Zeros(2, 0), IntTensor.FromArray([0, 0]))),
        Refusal("Mean: shape [0, 3] has no elements to take the mean of; expected 1 or more", () => Zeros(0, 3).Mean()),
        Refusal("Mean: shape [2, 0] has no elements", () => Zeros(2, 0).Variance([1])),
        Refusal("LayerNorm: the input must be [..., channels] with at least one channel", () => Zeros(2, 0).LayerNorm(null, null)),
        Refusal("MaxPool2d: the images have no pixels to choose from (shape [1, 0, 4, 2])", () => Zeros(1, 0, 4, 2).MaxPool2d(2, padding: 1)),
        Refusal("Dropout: the probability is 1;", () => Zeros(2).Dropout(1f)),
        Refusal("MaxPool2d: padding 2 is more than half the window of 3", () => Zeros(1, 8, 8, 1).MaxPool2d(3, padding: 2)),
        Refusal("QuadraticNeuron: the input has 4 channels (shape [2, 4]) but the neurons have 6", () => Zeros(2, 4).QuadraticNeuron(Zeros(4), new NeuronLayout(6, 2))),
        Refusal("QuadraticNeuron: Lambda has shape [3] but 2 neurons of rank 2 on 6 channels have [4] coefficients", () => Zeros(2, 6).QuadraticNeuron(Zeros(3), new NeuronLayout(6, 2))),
        Refusal("Softmax: the input must be [..., classes]", () => Tensor.Scalar(1f).Softmax()),
        Refusal("Attention: there are 0 heads; expected 1 or more", () => Zeros(2, 4).Attention(Zeros(2, 4), Zeros(2, 4), heads: 0)),
        Refusal("Attention: the query has shape [4]; it must be [..., tokens, channels]", () => Zeros(4).Attention(Zeros(2, 4), Zeros(2, 4))),
        Refusal("Attention: the value has shape [2, 5]; it must be [..., tokens, channels], with a number of channels that 2 heads divide", () => Zeros(2, 4).Attention(Zeros(2, 4), Zeros(2, 5), heads: 2)),
        Refusal("Attention: the leading axes of query [3, 2, 4], key [2, 2, 4] and value [3, 2, 4] differ", () => Zeros(3, 2, 4).Attention(Zeros(2, 2, 4), Zeros(3, 2, 4))),
        Refusal("Attention: a query has 4 channels ([2, 4]) but a key 6 ([2, 6])", () => Zeros(2, 4).Attention(Zeros(2, 6), Zeros(2, 4))),
        Refusal("Attention: there are 3 keys ([3, 4]) but 2 values ([2, 4])", () => Zeros(2, 4).Attention(Zeros(3, 4), Zeros(2, 4))),
        Refusal("Attention: the probability of dropout is 1;", () => Zeros(2, 4).Attention(Zeros(2, 4), Zeros(2, 4), dropout: 1f)),
        Refusal("Attention: there are 2 key lengths for 3 sequences (shape [3, 2, 4])", () => Zeros(3, 2, 4).Attention(Zeros(3, 2, 4), Zeros(3, 2, 4), keyLengths: IntTensor.FromArray([1, 2]))),
        Refusal("Attention: the mask has shape [3, 2], but 2 heads of queries [2, 4] with 3 keys need [2, 3], or [2, 2, 3]", () => Zeros(2, 4).Attention(Zeros(3, 4), Zeros(3, 4), heads: 2, mask: Zeros(3, 2))),
        Refusal("Attention: the mask requires a gradient", () => Zeros(2, 4).Attention(Zeros(2, 4), Zeros(2, 4), mask: new Parameter(Zeros(2, 2)))),
        Refusal("SelfAttention: the input has shape [2, 8]; it must be [..., tokens, channels], with a number of channels that 3 * 2", () => Zeros(2, 8).SelfAttention(heads: 2)),
        Refusal("MultiHeadAttention: 5 heads do not divide 12 channels", () => new Layers.MultiHeadAttention(12, 5)),
        Refusal("Item: shape [2] has 2 elements", () => Zeros(2).Item()),
        Refusal("Assign: the values have shape [3] but the tensor [2]", () => Zeros(2).Assign(Zeros(3))),
        Refusal("FromSpan: 3 values do not fill shape [2, 2], which has 4", () => Tensor.FromArray([1f, 2f, 3f], [2, 2])),
    ];

    static TestCaseData Refusal(string message, Action call) => new TestCaseData(message, call).SetArgDisplayNames(message);

    static TestCaseData Refusal(string message, Func<object> call) => Refusal(message, () => { _ = call(); });

    [TestCaseSource(nameof(Refusals))]
    public void Is_refused_with(string message, Action call) => Assert.That(call, Throws.ArgumentException.With.Message.Match(
        "^(?:" + System.Text.RegularExpressions.Regex.Escape(message).Replace(@"\.\*", ".*", StringComparison.Ordinal).Replace(@"\|", "|.*", StringComparison.Ordinal) + ")"));
}
