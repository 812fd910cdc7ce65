using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Models.Onnx;

/// <summary>
/// The kernels of inference as ONNX nodes. Values that depend only on constants (a rearranged weight, a scale derived from a variance) are
/// computed at once by the CPU's kernel and become constants of the graph.
/// </summary>
sealed partial class TracingKernels(Trace trace) : Kernels
{
    // The number of terms of each sum, by the name of its node.
    readonly Dictionary<string, int> sumTerms = [];

    static Backend Cpu => Device.Cpu.Backend;

    GraphBuilder Graph => trace.Graph;

    /// <summary>Computes y on the CPU if all its inputs are constants. Returns whether it did.</summary>
    bool Computed(Operand y, ReadOnlySpan<Operand?> inputs, Action<Tensor> kernel)
    {
        if (y.Shape.Any(trace.IsBatch) || !trace.AreConstant(inputs)) return false;
        kernel(Host(y));
        return true;
    }

    static Tensor Host(Operand x) => TracingMemory.View(x);

    static Operand Constant(Shape shape, float value, Operand like) => Tensor.Full(shape, value, like.Storage.Device).Keep().Read();

    // ---- element-wise

    public override void Unary<TOp>(Operand x, Operand y)
    {
        if (Computed(y, [x], y => Cpu.Unary<TOp>(Host(x), y))) return;
        var symbol = trace.Read(x);
        trace.Define(y, Form(TOp.Onnx(Graph, symbol.Name), TOp.Name), symbol.ChannelsFirst);
    }

    public override void Binary<TOp>(Operand a, Operand b, Operand y)
    {
        if (Computed(y, [a, b], y => Cpu.Binary<TOp>(Host(a), Host(b), y))) return;
        var first = trace.AnyChannelsFirst(a, b) && y.Shape.Rank == 4;
        trace.Define(y, Form(TOp.Onnx(Graph, trace.Broadcast(a, y.Shape.Rank, first), trace.Broadcast(b, y.Shape.Rank, first)), TOp.Name), first);
    }

    public override void BinaryScalar<TOp>(Operand x, float b, Operand y)
    {
        if (Computed(y, [x], y => Cpu.BinaryScalar<TOp>(Host(x), b, y))) return;
        var symbol = trace.Read(x);
        trace.Define(y, MeanOf<TOp>(symbol, b) ?? Form(TOp.Onnx(Graph, symbol.Name, Graph.Scalar(b)), TOp.Name), symbol.ChannelsFirst);
    }

    static string Form(string? node, string operation) => node ?? throw Trace.Unsupported($"the element-wise operation \"{operation}\"");

    // ---- reductions

    public override void Reduce<TOp>(Operand x, int outer, int n, int inner, Operand y)
    {
        if (Computed(y, [x], y => Cpu.Reduce<TOp>(Host(x), outer, n, inner, y))) return;
        var symbol = trace.Read(x);
        var axes = Enumerable.Range(0, x.Shape.Rank).Where(axis => x.Shape[axis] != y.Shape[axis]).Select(axis => (long)Trace.AxisOf(symbol, axis)).Order().ToArray();
        var operation = typeof(TOp) == typeof(SumOp) ? "ReduceSum" : typeof(TOp) == typeof(MaxOp) ? "ReduceMax" : typeof(TOp) == typeof(MinOp) ? "ReduceMin" : throw Trace.Unsupported($"the reduction \"{TOp.Name}\"");
        var name = Graph.Add(operation, [symbol.Name, Graph.Integers(axes)], Attribute.Of("keepdims", 1));
        sumTerms[name] = n;
        trace.Define(y, name, symbol.ChannelsFirst);
    }

    // Readers of the graph recognize a mean, so a sum divided by the number of its terms is written as one.
    string? MeanOf<TOp>(Symbol sum, float count) where TOp : struct, IBinaryOp<TOp>
    {
        if (typeof(TOp) != typeof(DivideOp) || Graph.Producer(sum.Name) is not { } node) return null;
        var reshape = node.OpType == "Reshape" ? node : null;
        if (reshape is not null) node = Graph.Producer(reshape.Input[0]);
        if (node is not { OpType: "ReduceSum" } || count != sumTerms[node.Name]) return null;
        var mean = Graph.Add("ReduceMean", [.. node.Input], [.. node.Attribute]);
        return reshape is null ? mean : Graph.Add("Reshape", [mean, reshape.Input[1]]);
    }

    // ---- normalization, softmax, pooling

    public override void BatchNorm(Operand x, NormTerm<Operand> norm, Operand? residual, Operand y)
    {
        var (mean, variance, epsilon, gamma, beta, activation) = norm;
        gamma ??= Constant(mean.Shape, 1f, mean);
        beta ??= Constant(mean.Shape, 0f, mean);
        var symbol = trace.Read(x);
        var (name, first) = (trace.FoldBatchNorm ? Folded(symbol, mean, variance, epsilon, gamma, beta) : null, symbol.ChannelsFirst);
        if (name is null && symbol.Shape.Rank is 2 or 4)
        {
            first = symbol.Shape.Rank == 4;
            name = Graph.Add("BatchNormalization", [trace.First(symbol), .. new[] { gamma, beta, mean, variance }.Select(parameter => trace.Constant(parameter))], Attribute.Of("epsilon", epsilon));
        }
        else if (name is null)
        {
            var (scale, shift) = Affine(mean, variance, epsilon, gamma, beta);
            name = Graph.Add("Add", [Graph.Add("Mul", [trace.Last(symbol), Graph.Shared(scale, scale.Length)]), Graph.Shared(shift, shift.Length)]);
        }

        trace.Define(y, name, first);
        if (residual is not null) Binary<AddOp>(y, residual, y);
        activation.Accept(new Activate(this, y));
    }

    readonly struct Activate(TracingKernels kernels, Operand y) : IActivationVisitor
    {
        public void Visit<TOp>() where TOp : struct, IUnaryOp<TOp> => kernels.Unary<TOp>(y, y);
    }

    public override void LayerNorm(Operand x, float epsilon, Operand? gamma, Operand? beta, Operand y, Operand mean, Operand rstd)
    {
        gamma ??= Constant([x.Shape.Channels], 1f, x);
        beta ??= Constant([x.Shape.Channels], 0f, x);
        trace.Define(y, Graph.Add("LayerNormalization", [trace.Last(trace.Read(x)), trace.Constant(gamma), trace.Constant(beta)], Attribute.Of("axis", -1), Attribute.Of("epsilon", epsilon)));
    }

    public override void Softmax(Operand x, bool logarithm, Operand y)
    {
        if (Computed(y, [x], y => Cpu.Softmax(Host(x), logarithm, y))) return;
        var symbol = trace.Read(x);
        trace.Define(y, Graph.Add(logarithm ? "LogSoftmax" : "Softmax", [symbol.Name], Attribute.Of("axis", Trace.AxisOf(symbol, x.Shape.Rank - 1))), symbol.ChannelsFirst);
    }

    // ONNX has no node of attention before opset 23, so it is written as products and a softmax over [N, heads, tokens, depth].
    public override void Attention(Operand query, Operand key, Operand value, AttentionGeometry geometry, Operand? keyLengths, Operand? mask, RandomStream stream, Operand y, Operand logSums)
    {
        if (geometry.Dropout > 0f) throw Training;
        if (keyLengths is not null || !trace.AreConstant(mask)) throw Trace.Unsupported("attention with key lengths, or a mask that depends on the input");
        string q = Heads(query, 0, geometry.Depth), k = Heads(key, geometry.KeyOffset, geometry.Depth), v = Heads(value, geometry.ValueOffset, geometry.ValueDepth);
        var scores = Graph.Add("MatMul", [Graph.Add("Mul", [q, Graph.Scalar(geometry.Scale)]), Graph.Add("Transpose", [k], Attribute.Of("perm", 0, 1, 3, 2))]);
        if (geometry.Causal)
        {
            float[] hidden = [.. from i in Enumerable.Range(0, geometry.Queries) from j in Enumerable.Range(0, geometry.Keys) select j > i ? float.NegativeInfinity : 0f];
            scores = Graph.Add("Add", [scores, Graph.Shared(hidden, geometry.Queries, geometry.Keys)]);
        }

        if (mask is not null) scores = Graph.Add("Add", [scores, trace.Constant(mask)]);
        var mixed = Graph.Add("MatMul", [Graph.Add("Softmax", [scores], Attribute.Of("axis", -1)), v]);
        trace.Define(y, Graph.Add("Reshape", [Graph.Add("Transpose", [mixed], Attribute.Of("perm", 0, 2, 1, 3)), Graph.Integers(trace.Extents(y.Shape, -1))]));

        // [N, tokens, channels] to [N, heads, tokens, depth], from a channel on.
        string Heads(Operand x, int channel, int depth)
        {
            var name = trace.Last(trace.Read(x));
            var tokens = x.Shape[^2];
            if (geometry.Packed) name = Graph.Add("Slice", [name, Graph.Integers([channel]), Graph.Integers([channel + geometry.Heads * depth]), Graph.Integers([-1])]);
            return Graph.Add("Transpose", [Graph.Add("Reshape", [name, Graph.Integers([-1, tokens, geometry.Heads, depth])])], Attribute.Of("perm", 0, 2, 1, 3));
        }
    }

    public override void MaxPool(Operand x, PoolGeometry geometry, Operand y, Operand indices) =>
        trace.Define(y, Graph.Add("MaxPool", [trace.First(trace.Read(x))], [.. WindowOf(geometry.Window), Attribute.Of("dilations", geometry.Window.Dilation, geometry.Window.Dilation)]), channelsFirst: true);

    public override void AveragePool(Operand x, PoolGeometry geometry, Operand y) =>
        trace.Define(y, Graph.Add("AveragePool", [trace.First(trace.Read(x))], [.. WindowOf(geometry.Window), Attribute.Of("count_include_pad", 1)]), channelsFirst: true);

    static AttributeProto[] WindowOf(Window window) =>
    [
        Attribute.Of("kernel_shape", window.Height, window.Width),
        Attribute.Of("strides", window.Stride, window.Stride),
        Attribute.Of("pads", window.Padding, window.Padding, window.Padding, window.Padding),
    ];
}
