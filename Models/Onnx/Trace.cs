using QuadEngine.Devices;

namespace QuadEngine.Models.Onnx;

/// <summary>
/// A value of the graph that depends on the network's input. Convolutions of ONNX have the channels first, this engine has them last: an image keeps
/// the order of the node that computed it, and is transposed only if an operation needs the other order.
/// </summary>
/// <param name="Name">The name in the graph.</param>
/// <param name="Shape">The shape in this engine; images are [N, H, W, C].</param>
/// <param name="ChannelsFirst">Whether the value is [N, C, H, W] in the graph.</param>
sealed record Symbol(string Name, Shape Shape, bool ChannelsFirst);

/// <summary>
/// The meaning of the memory of a traced network: symbols by storage; every other storage holds constants. The traced batch is a
/// prime that divides no other extent. So the trace recognizes the batch in shapes, and the file allows any batch.
/// </summary>
sealed class Trace(int batch, bool foldBatchNorm)
{
    static readonly int[] ToFirst = [0, 3, 1, 2], ToLast = [0, 2, 3, 1];

    readonly Dictionary<Storage, Symbol> symbols = [];
    readonly Dictionary<Storage, Canvas> canvases = [];
    readonly Dictionary<Storage, string> parameters = [];
    readonly Dictionary<(Storage, string), string> arranged = [];
    readonly Dictionary<string, string> rearranged = [];

    public GraphBuilder Graph { get; } = new();

    /// <summary>Whether batch norms become part of the convolution or linear layer before them.</summary>
    public bool FoldBatchNorm => foldBatchNorm;

    /// <summary>Gives a parameter its name in the file.</summary>
    public void Name(Tensor parameter, string path) => parameters[parameter.Storage] = path;

    /// <summary>Returns the name of a parameter in the file, or <paramref name="otherwise"/> if the operand is not a parameter.</summary>
    public string NameOf(Operand parameter, string otherwise) => parameters.GetValueOrDefault(parameter.Storage, otherwise);

    // ---- writing

    /// <summary>Records that the tensor is this value of the graph from now on.</summary>
    public void Define(Operand y, string name, bool channelsFirst = false)
    {
        if (y.Length != y.Storage.Length) throw Unsupported("writing into a part of a tensor");
        symbols[y.Storage] = new Symbol(name, y.Shape, channelsFirst);
    }

    /// <summary>Records that every element of the tensor is this number.</summary>
    public void Fill(Operand y, float value) => canvases[y.Storage] = new Canvas(y.Shape, value);

    /// <summary>Records that a symbol fills the part of the tensor that starts at an index.</summary>
    public void Paint(Operand y, int[] start, Symbol part)
    {
        if (!canvases.TryGetValue(y.Storage, out var canvas)) canvases[y.Storage] = canvas = new Canvas(y.Shape, null);
        canvas.Parts.Add((start, part));
    }

    // ---- reading

    /// <summary>Whether none of the tensors depends on the input.</summary>
    public bool AreConstant(params ReadOnlySpan<Operand?> tensors)
    {
        foreach (var tensor in tensors)
            if (tensor is not null && !IsConstant(tensor)) return false;
        return true;
    }

    /// <summary>Returns the value of a tensor, in the shape of the tensor.</summary>
    public Symbol Read(Operand x)
    {
        if (IsConstant(x)) return new Symbol(Constant(x), x.Shape, false);
        var symbol = symbols.TryGetValue(x.Storage, out var known) ? known : canvases[x.Storage].Resolve(this);
        symbols[x.Storage] = symbol;
        if (x.Length != symbol.Shape.Elements) throw Unsupported("reading a part of a batch");
        return Reshape(symbol, x.Shape);
    }

    /// <summary>Returns the name of an operand of an operation that broadcasts to a result of <paramref name="rank"/> axes.</summary>
    public string Broadcast(Operand x, int rank, bool channelsFirst)
    {
        if (!IsConstant(x))
        {
            if (canvases.GetValueOrDefault(x.Storage) is { Parts.Count: 0, Background: { } value }) return Graph.Scalar(value);
            return channelsFirst ? First(Reshape(Read(x), Padded(x.Shape, rank))) : Last(Read(x));
        }

        if (x.Length == 1) return Graph.Scalar(TracingMemory.View(x).ToArray()[0]);
        return channelsFirst ? Constant(x, Padded(x.Shape, rank), ToFirst) : Constant(x);
    }

    /// <summary>Whether any of the tensors is an image that the graph holds with the channels first.</summary>
    public bool AnyChannelsFirst(params ReadOnlySpan<Operand> tensors)
    {
        foreach (var tensor in tensors)
            if (!IsConstant(tensor) && (canvases.GetValueOrDefault(tensor.Storage)?.Parts.Count != 0) && Read(tensor).ChannelsFirst) return true;
        return false;
    }

    /// <summary>Returns the name of the value with the channels first.</summary>
    public string First(Symbol x) => x.ChannelsFirst || x.Shape.Rank != 4 ? x.Name : Transposed(x.Name, ToFirst);

    /// <summary>Returns the name of the value in the order of this engine.</summary>
    public string Last(Symbol x) => x.ChannelsFirst ? Transposed(x.Name, ToLast) : x.Name;

    /// <summary>Returns the index of an axis in the graph.</summary>
    public static int AxisOf(Symbol x, int axis) => x.ChannelsFirst ? Array.IndexOf(ToFirst, axis) : axis;

    /// <summary>Returns numbers, one for each axis, in the graph's order of axes.</summary>
    public static long[] InOrderOf(Symbol x, ReadOnlySpan<int> byAxis)
    {
        var ordered = new long[byAxis.Length];
        for (var axis = 0; axis < ordered.Length; axis++) ordered[AxisOf(x, axis)] = byAxis[axis];
        return ordered;
    }

    /// <summary>Returns the name of a constant with its axes in another order; parameters keep their names.</summary>
    public string Constant(Operand x, params int[] order) => Constant(x, x.Shape, order);

    /// <summary>Returns the symbol in another shape; the file still allows any batch.</summary>
    public Symbol Reshape(Symbol x, Shape shape)
    {
        if (shape == x.Shape) return x;
        var sameOrder = x.ChannelsFirst && (x.Shape.Channels == 1 || x.Shape[1] * x.Shape[2] == 1);
        var source = sameOrder ? x.Name : Last(x);
        return new Symbol(Once($"{source} {shape}", () => Graph.Add("Reshape", [source, Graph.Integers(Extents(shape, -1))])), shape, false);
    }

    /// <summary>Returns the symbol with its axes in another order.</summary>
    public Symbol Transpose(Symbol x, int[] order)
    {
        Shape shape = order.Select(axis => x.Shape[axis]).ToArray();
        if (x.ChannelsFirst && order.SequenceEqual(ToFirst)) return new Symbol(x.Name, shape, false);
        if (!x.ChannelsFirst && order.SequenceEqual(ToLast)) return new Symbol(x.Name, shape, true);
        return new Symbol(Transposed(Last(x), order), shape, false);
    }

    /// <summary>Returns the extents of a shape, with a given number in place of the batch.</summary>
    public long[] Extents(Shape shape, int inPlaceOfBatch) => [.. shape.Select(extent => IsBatch(extent) ? inPlaceOfBatch : (long)extent)];

    /// <summary>Whether an extent is the batch, or a multiple of it.</summary>
    public bool IsBatch(int extent) => extent % batch == 0;

    /// <summary>Returns the result of the network as it is in the file: images with the channels first.</summary>
    public Symbol Output(Tensor y)
    {
        using var operand = y.Read();         // a deferred result is computed, and so traced, now
        var symbol = Read(operand);
        var name = First(symbol);
        return new Symbol(Graph.Producer(name) is null ? Graph.Add("Identity", [name]) : name, symbol.Shape, symbol.Shape.Rank == 4);
    }

    /// <summary>Returns the name, type and shape of an input or output of the graph; the batch is "N".</summary>
    public ValueInfoProto Describe(string name, Symbol value)
    {
        var shape = new TensorShapeProto();
        foreach (var extent in InOrderOf(value, value.Shape.AsSpan()))
            shape.Dim.Add(IsBatch((int)extent) ? new TensorShapeProto.Types.Dimension { DimParam = "N" } : new TensorShapeProto.Types.Dimension { DimValue = extent });
        return new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)TensorProto.Types.DataType.Float, Shape = shape } } };
    }

    public static NotSupportedException Unsupported(string what) => new(
        $"OnnxExport: {(TensorScope.CurrentPath is { Length: > 0 } path ? path : "the network")} needs {what}, which has no ONNX form here. Export the part before it, or write it with other operations; give an element-wise operation that you wrote its ONNX form (IUnaryOp.Onnx, IBinaryOp.Onnx).");

    bool IsConstant(Operand x) => !symbols.ContainsKey(x.Storage) && !canvases.ContainsKey(x.Storage);

    string Constant(Operand x, Shape shape, int[] order)
    {
        var key = (x.Storage, $"{x.Offset} {shape} {string.Join(' ', order)}");
        if (arranged.TryGetValue(key, out var name)) return name;

        using var scope = new TensorScope();
        var host = TracingMemory.View(x).Reshape(shape);
        if (order.Length > 0) host = host.Transpose(order);
        long[] dimensions = [.. host.Shape.Select(extent => (long)extent)];
        return arranged[key] = parameters.TryGetValue(x.Storage, out var path) ? Graph.Constant(path, host.ToArray(), dimensions) : Graph.Shared(host.ToArray(), dimensions);
    }

    string Transposed(string value, int[] order) =>
        Once($"{value} {string.Join(' ', order)}", () => Graph.Add("Transpose", [value], Attribute.Of("perm", [.. order.Select(axis => (long)axis)])));

    string Once(string key, Func<string> node) => rearranged.TryGetValue(key, out var name) ? name : rearranged[key] = node();

    static Shape Padded(Shape shape, int rank) => [.. Enumerable.Repeat(1, rank - shape.Rank), .. shape];
}

/// <summary>A tensor that is filled part by part: padding around one part, or several parts side by side.</summary>
sealed class Canvas(Shape shape, float? background)
{
    public float? Background => background;

    public List<(int[] Start, Symbol Part)> Parts { get; } = [];

    public Symbol Resolve(Trace trace)
    {
        if (Parts is [var (start, part)] && background is { } value) return Pad(trace, start, part, value);
        var axis = Enumerable.Range(0, shape.Rank).FirstOrDefault(axis => Parts.Sum(piece => piece.Part.Shape[axis]) == shape[axis] && Parts.Count > 1, -1);
        if (axis < 0) throw Trace.Unsupported("a tensor filled in pieces that do not lie side by side");

        var first = Parts.All(piece => piece.Part.ChannelsFirst);
        var names = Parts.OrderBy(piece => piece.Start[axis]).Select(piece => first ? piece.Part.Name : trace.Last(piece.Part)).ToArray();
        var layout = new Symbol("", shape, first);
        return layout with { Name = trace.Graph.Add("Concat", names, Attribute.Of("axis", Trace.AxisOf(layout, axis))) };
    }

    Symbol Pad(Trace trace, int[] start, Symbol part, float value)
    {
        int[] after = [.. shape.Select((extent, axis) => extent - start[axis] - part.Shape[axis])];
        var pads = trace.Graph.Integers([.. Trace.InOrderOf(part, start), .. Trace.InOrderOf(part, after)]);
        return part with { Name = trace.Graph.Add("Pad", [part.Name, pads, trace.Graph.Scalar(value)]), Shape = shape };
    }
}
