using QuadEngine.Devices;

namespace QuadEngine.Models.Onnx;

// Convolutions, matrix products, and the operations of quadratic neurons and batch norms on their results. Weights have the layout of PyTorch,
// [out, in] and [Cout, Cin, kH, kW], which is also the layout of ONNX.
sealed partial class TracingKernels
{
    public override void Conv2d(Operand x, Operand filter, ConvGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        var bias = BiasOf(epilogue);
        if (Computed(y, [x, filter, bias], y => Cpu.Conv2d(Host(x), Host(filter), geometry, new Epilogue<Tensor> { Bias = bias is null ? null : Host(bias) }, y))) return;
        var (window, outFirst) = (geometry.Window, new[] { 3, 2, 0, 1 });
        var weight = trace.AreConstant(filter) ? trace.Constant(filter, outFirst) : trace.Transpose(trace.Read(filter), outFirst).Name;
        trace.Define(y, Graph.Add("Conv", Operands(trace.First(trace.Read(x)), weight, bias),
            [.. WindowOf(window), Attribute.Of("dilations", window.Dilation, window.Dilation), Attribute.Of("group", geometry.Groups)]), channelsFirst: true);
    }

    public override void MatMul(Operand a, Operand b, MatMulGeometry geometry, in Epilogue<Operand> epilogue, Operand y)
    {
        var bias = BiasOf(epilogue);
        if (Computed(y, [a, b, bias], y => Cpu.MatMul(Host(a), Host(b), geometry, new Epilogue<Tensor> { Bias = bias is null ? null : Host(bias) }, y))) return;

        if (a.Shape.Rank == 2 && trace.AreConstant(b, bias))
        {
            trace.Define(y, Graph.Add("Gemm", Operands(Matrix(a, geometry.TransposeA), Matrix(b, !geometry.TransposeB), bias), Attribute.Of("transB", 1)));
            return;
        }

        trace.Define(y, Graph.Add("MatMul", [Matrix(a, geometry.TransposeA), Matrix(b, geometry.TransposeB)]));
        if (bias is not null) Binary<Operations.AddOp>(y, bias, y);
    }

    // Returns the name of the matrix, or of all matrices of a batch; if transposed, the last two axes are exchanged.
    string Matrix(Operand x, bool transposed)
    {
        int[] order = [.. Enumerable.Range(0, x.Shape.Rank - 2), x.Shape.Rank - 1, x.Shape.Rank - 2];
        if (trace.AreConstant(x)) return transposed ? trace.Constant(x, order) : trace.Constant(x);
        var symbol = trace.Read(x);
        return trace.Last(transposed ? trace.Transpose(symbol, order) : symbol);
    }

    /// <summary>
    /// y = z + A z^2, where A holds s lambda_i in the row of y and the column of f_i of each neuron, and zeros elsewhere. On images A is a 1x1
    /// convolution; if all neurons have equal rank, each neuron is a group.
    /// </summary>
    public override void Quadratic(Operand z, QuadraticTerm<Operand> term, Operand y)
    {
        var (layout, lambda) = (term.Layout, Host(term.Lambda).ToArray());
        var symbol = trace.Read(z);
        var groups = symbol.ChannelsFirst && layout.Channels % layout.Stride == 0 ? layout.Neurons : 1;
        var columns = layout.Channels / groups;
        var matrix = new float[layout.Channels * columns];                  // [out, in], of the group
        for (var i = 0; i < lambda.Length; i++)
        {
            var (neuron, from) = Math.DivRem(layout.ChannelOf(i), layout.Stride);
            var row = neuron * layout.Stride;
            matrix[row * columns + (groups == 1 ? row + from : from)] = term.Normalized ? lambda[i] / layout.RankOf(neuron) : lambda[i];
        }

        var squares = Graph.Add("Mul", [symbol.Name, symbol.Name]);
        var name = trace.NameOf(term.Lambda, "lambda");
        var sums = symbol.ChannelsFirst ? Graph.Add("Conv", [squares, Graph.Constant(name, matrix, layout.Channels, columns, 1, 1)], Attribute.Of("group", groups))
            : Graph.Add("MatMul", [squares, Graph.Constant(name, Transposed(matrix, layout.Channels), layout.Channels, layout.Channels)]);
        trace.Define(y, Graph.Add("Add", [symbol.Name, sums]), symbol.ChannelsFirst);
    }

    /// <summary>
    /// Returns the convolution or linear layer before a batch norm with the batch norm in its weights; null if there is no such layer. The unfolded
    /// layer is not written to the file if no other node reads it.
    /// </summary>
    string? Folded(Symbol x, Operand mean, Operand variance, float epsilon, Operand gamma, Operand beta)
    {
        if (Graph.Producer(x.Name) is not { OpType: "Conv" or "Gemm" } node || !Graph.IsFloats(node.Input[1])) return null;
        var (scale, shift) = Affine(mean, variance, epsilon, gamma, beta);
        var (weights, dimensions) = Graph.Floats(node.Input[1]);
        var outputs = scale.Length;
        var inputs = weights.Length / outputs;
        float[] folded = [.. weights.Select((w, i) => w * scale[i / inputs])];
        float[] bias = node.Input.Count > 2 ? [.. Graph.Floats(node.Input[2]).Values.Select((b, i) => b * scale[i] + shift[i])] : shift;
        return Graph.Add(node.OpType, [node.Input[0], Graph.Constant($"{node.Input[1]}.folded", folded, dimensions), Graph.Constant($"{node.Input[1]}.shift", bias, outputs)], [.. node.Attribute]);
    }

    /// <summary>Returns a batch norm with constant statistics as y = x scale + shift.</summary>
    static (float[] Scale, float[] Shift) Affine(Operand mean, Operand variance, float epsilon, Operand gamma, Operand beta)
    {
        float[] deviation = [.. Host(variance).ToArray().Select(v => MathF.Sqrt(v + epsilon))];
        float[] scale = [.. Host(gamma).ToArray().Zip(deviation, (g, d) => g / d)];
        return (scale, [.. Host(beta).ToArray().Select((b, i) => b - Host(mean).ToArray()[i] * scale[i])]);
    }

    string[] Operands(string x, string weight, Operand? bias) => bias is null ? [x, weight] : [x, weight, trace.Constant(bias)];

    static Operand? BiasOf(in Epilogue<Operand> epilogue) => (epilogue with { Bias = null }).IsEmpty ? epilogue.Bias : throw Trace.Unsupported("a fused projection");

    static float[] Transposed(float[] square, int n) => [.. Enumerable.Range(0, n * n).Select(i => square[i % n * n + i / n])];
}
