using System.Globalization;
using System.Runtime.InteropServices;
using Google.Protobuf;
using QuadEngine.Operations;

namespace QuadEngine.Models.Onnx;

/// <summary>
/// A graph of ONNX nodes under construction. Every value has one name and is written once. Nodes and constants that the output does
/// not need are removed at the end, so code that adds them need not know whether they will be used.
/// </summary>
sealed class GraphBuilder : IOnnxGraph
{
    const int SmallConstant = 16;

    readonly List<NodeProto> nodes = [];
    readonly Dictionary<string, NodeProto> producers = [];
    readonly Dictionary<string, (float[] Values, long[] Dimensions)> floats = [];
    readonly Dictionary<string, TensorProto> constants = [];
    readonly HashSet<string> names = [];

    /// <summary>Adds an operation and returns the name of its first output. The name contains the path of the module that calls the operation: "/layer1/0/conv1/Conv".</summary>
    public string Add(string operation, ReadOnlySpan<string> inputs, params ReadOnlySpan<AttributeProto> attributes)
    {
        var path = TensorScope.CurrentPath.Replace('.', '/');
        var name = Unique(path.Length == 0 ? $"/{operation}" : $"/{path}/{operation}");
        var node = new NodeProto { Name = name, OpType = operation };
        node.Input.AddRange(inputs.ToArray());
        node.Output.Add(name);
        node.Attribute.AddRange(attributes.ToArray());
        nodes.Add(node);
        producers[name] = node;
        return name;
    }

    /// <summary>Returns the node that computes a value; null for inputs and constants.</summary>
    public NodeProto? Producer(string value) => producers.GetValueOrDefault(value);

    /// <summary>Whether the value is a constant of floats.</summary>
    public bool IsFloats(string value) => floats.ContainsKey(value);

    /// <summary>Returns the numbers of a constant that was added as floats.</summary>
    public (float[] Values, long[] Dimensions) Floats(string constant) => floats[constant];

    /// <summary>Adds a constant of floats and returns its name: the given one, with a number if the name is taken.</summary>
    public string Constant(string name, float[] values, params long[] dimensions)
    {
        name = Unique(name);
        floats[name] = (values, dimensions);
        return Constant(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), dimensions);
    }

    /// <summary>Returns the name of a constant of floats. All uses of a small constant share one.</summary>
    public string Shared(float[] values, params long[] dimensions)
    {
        var text = $"{string.Join('_', values.Select(value => value.ToString("R", CultureInfo.InvariantCulture)))}";
        if (values.Length > SmallConstant) return Constant("constant", values, dimensions);
        var name = dimensions.Length == 0 ? text : $"{text}:{string.Join('x', dimensions)}";
        return floats.ContainsKey(name) ? name : Constant(name, values, dimensions);
    }

    /// <summary>Returns the name of a constant of one number.</summary>
    public string Scalar(float value) => Shared([value]);

    string IOnnxGraph.Node(string operation, params ReadOnlySpan<string> inputs) => Add(operation, inputs);

    string IOnnxGraph.Number(float value) => Scalar(value);

    string IOnnxGraph.ToNumbers(string condition) => Cast(condition, TensorProto.Types.DataType.Float);

    string IOnnxGraph.ToCondition(string numbers) => Cast(numbers, TensorProto.Types.DataType.Bool);

    string Cast(string x, TensorProto.Types.DataType type) => Add("Cast", [x], Attribute.Of("to", (long)type));

    /// <summary>Returns the name of a constant vector of integers: a shape, or axes.</summary>
    public string Integers(params long[] values)
    {
        var name = $"[{string.Join(',', values)}]";
        return constants.ContainsKey(name) ? name : Constant(Unique(name), TensorProto.Types.DataType.Int64, MemoryMarshal.AsBytes(values), values.Length);
    }

    /// <summary>Returns the whole graph, with the public name of its output.</summary>
    public GraphProto Build(string name, ValueInfoProto input, string outputValue, ValueInfoProto output)
    {
        var graph = new GraphProto { Name = name, Input = { input }, Output = { output } };
        var (kept, used) = NeededFor(outputValue);
        foreach (var node in kept)
        {
            Rename(node.Input, outputValue, output.Name);
            Rename(node.Output, outputValue, output.Name);
            graph.Node.Add(node);
        }

        graph.Initializer.AddRange(constants.Values.Where(constant => used.Contains(constant.Name)));
        return graph;
    }

    // Nodes are in the order of execution, so one sweep from the end finds everything that the output depends on.
    (IEnumerable<NodeProto> Nodes, HashSet<string> Used) NeededFor(string value)
    {
        var used = new HashSet<string> { value };
        var kept = new Stack<NodeProto>();
        foreach (var node in Enumerable.Reverse(nodes))
        {
            if (!node.Output.Any(used.Contains)) continue;
            used.UnionWith(node.Input);
            kept.Push(node);
        }

        return (kept, used);
    }

    static void Rename(IList<string> values, string from, string to)
    {
        for (var i = 0; i < values.Count; i++)
            if (values[i] == from) values[i] = to;
    }

    string Constant(string name, TensorProto.Types.DataType type, ReadOnlySpan<byte> bytes, params ReadOnlySpan<long> dimensions)
    {
        constants[name] = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(bytes), Dims = { dimensions.ToArray() } };
        return name;
    }

    string Unique(string wished)
    {
        var name = wished;
        for (var i = 1; !names.Add(name); i++) name = string.Create(CultureInfo.InvariantCulture, $"{wished}_{i}");
        return name;
    }
}

/// <summary>Makes attributes of nodes.</summary>
static class Attribute
{
    public static AttributeProto Of(string name, long value) => new() { Name = name, I = value, Type = AttributeProto.Types.AttributeType.Int };

    public static AttributeProto Of(string name, float value) => new() { Name = name, F = value, Type = AttributeProto.Types.AttributeType.Float };

    public static AttributeProto Of(string name, params long[] values) => new() { Name = name, Ints = { values }, Type = AttributeProto.Types.AttributeType.Ints };
}
