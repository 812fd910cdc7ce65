using QuadEngine.Operations;

namespace QuadEngine.Models.Onnx;

/// <summary>Element-wise operations as ONNX nodes, one row each, by the name of their struct.</summary>
static class ElementwiseNodes
{
    static readonly Dictionary<string, Func<GraphBuilder, string[], string>> Table = new()
    {
        [Negate.Name] = Node("Neg"),
        [Exp.Name] = Node("Exp"),
        [Log.Name] = Node("Log"),
        [Expm1.Name] = (graph, x) => graph.Add("Sub", [graph.Add("Exp", x), graph.Scalar(1f)]),
        [Log1p.Name] = (graph, x) => graph.Add("Log", [graph.Add("Add", [x[0], graph.Scalar(1f)])]),
        [Sign.Name] = Node("Sign"),
        [Sin.Name] = Node("Sin"),
        [Cos.Name] = Node("Cos"),
        [Sqrt.Name] = Node("Sqrt"),
        [Square.Name] = (graph, x) => graph.Add("Mul", [x[0], x[0]]),
        [Abs.Name] = Node("Abs"),
        [Tanh.Name] = Node("Tanh"),
        [Sigmoid.Name] = Node("Sigmoid"),
        [Relu.Name] = Node("Relu"),
        [LeakyRelu.Name] = Node("PRelu"),
        [Silu.Name] = (graph, x) => graph.Add("Mul", [x[0], graph.Add("Sigmoid", x)]),
        [Gelu.Name] = GeluByErf,
        [Softplus.Name] = Node("Softplus"),
        [Add.Name] = Node("Add"),
        [Subtract.Name] = Node("Sub"),
        [Multiply.Name] = Node("Mul"),
        [Divide.Name] = Node("Div"),
        [Power.Name] = Node("Pow"),
        [Maximum.Name] = Node("Max"),
        [Minimum.Name] = Node("Min"),
        [AtLeast.Name] = Node("Max"),
        [AtMost.Name] = Node("Min"),
        [Greater.Name] = Comparison("Greater"),
        [GreaterEqual.Name] = Comparison("GreaterOrEqual"),
        [Less.Name] = Comparison("Less"),
        [LessEqual.Name] = Comparison("LessOrEqual"),
        [Equal.Name] = Comparison("Equal"),
        [NotEqual.Name] = (graph, x) => Cast(graph, graph.Add("Not", [graph.Add("Equal", x)]), TensorProto.Types.DataType.Float),
        [IsExtreme.Name] = (graph, x) => Cast(graph, graph.Add("Or", [graph.Add("Equal", x), graph.Add("IsNaN", [x[0]])]), TensorProto.Types.DataType.Float),
        [BinaryCrossEntropy.Name] = (graph, x) => graph.Add("Sub", [graph.Add("Softplus", [x[0]]), graph.Add("Mul", x)]),
        [WhereTrue.Name] = (graph, x) => graph.Add("Where", [Cast(graph, x[1], TensorProto.Types.DataType.Bool), x[0], graph.Scalar(0f)]),
        [WhereFalse.Name] = (graph, x) => graph.Add("Where", [Cast(graph, x[1], TensorProto.Types.DataType.Bool), graph.Scalar(0f), x[0]]),
    };

    public static string Emit(GraphBuilder graph, string operation, params string[] operands) => Table.TryGetValue(operation, out var emit)
        ? emit(graph, operands)
        : throw Trace.Unsupported($"the element-wise operation \"{operation}\"");

    static Func<GraphBuilder, string[], string> Node(string operation) => (graph, operands) => graph.Add(operation, operands);

    static Func<GraphBuilder, string[], string> Comparison(string operation) => (graph, operands) => Cast(graph, graph.Add(operation, operands), TensorProto.Types.DataType.Float);

    static string Cast(GraphBuilder graph, string x, TensorProto.Types.DataType type) => graph.Add("Cast", [x], Attribute.Of("to", (long)type));

    // 0.5 x (1 + erf(x / sqrt 2)); a node of its own only from opset 20 on.
    static string GeluByErf(GraphBuilder graph, string[] x)
    {
        var erf = graph.Add("Erf", [graph.Add("Mul", [x[0], graph.Scalar(0.70710678f)])]);
        return graph.Add("Mul", [graph.Add("Mul", [x[0], graph.Scalar(0.5f)]), graph.Add("Add", [erf, graph.Scalar(1f)])]);
    }
}
