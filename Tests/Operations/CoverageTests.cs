using System.Reflection;

namespace QuadEngine.Tests.Operations;

/// <summary>Names every operation without a case, because it has no gradient check.</summary>
public class CoverageTests
{
    static readonly Dictionary<string, string> NoOperations = new()
    {
        ["Tensor.Like"] = "its elements are not computed from the argument",
        ["Tensor.Keep"] = "gives the same handle back",
        ["Tensor.Detach"] = "cuts the graph, by definition",
        ["Tensor.Alias"] = "has the place of its tensor in the graph, none of its own",
        ["Tensor.WithBackward"] = "declares an operation",
        ["Elementwise.Apply"] = "carries out the structs, which have cases of their own",
    };

    static IEnumerable<string> Covered =>
        OperationCases.Providers().SelectMany(method => method.GetCustomAttributes<CaseForAttribute>()).Select(attribute => attribute.Operation).Concat(TensorMethodCases.Covered);

    static IEnumerable<string> Operations =>
        typeof(Tensor).Assembly.GetExportedTypes()
            .Where(type => type == typeof(Tensor) || type == typeof(Losses) || type is { IsAbstract: true, IsSealed: true, Namespace: "QuadEngine.Operations" })
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => (typeof(Tensor).IsAssignableFrom(method.ReturnType) || method.ReturnType == typeof(Tensor[])) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)))
            .Where(method => !method.IsStatic || method.GetParameters().Any(parameter => parameter.ParameterType == typeof(Tensor) || parameter.ParameterType == typeof(IReadOnlyList<Tensor>)))
            .Select(method => $"{method.DeclaringType!.Name}.{method.Name}")
            .Distinct();

    [Test]
    public void Every_public_operation_has_a_case()
    {
        var missing = Operations.Except(Covered).Except(NoOperations.Keys).ToArray();
        Assert.That(missing, Is.Empty, $"No case draws calls of {string.Join(", ", missing)}; add a method with [CaseFor] in Tests/Operations/Cases.");
    }

    [Test]
    public void Every_case_is_for_an_operation_that_exists() => Assert.That(Covered.Concat(NoOperations.Keys).Except(Operations), Is.Empty);

    [Test]
    public void The_search_finds_what_it_should() => Assert.Multiple(() =>
    {
        Assert.That(Operations, Is.SupersetOf((string[])["Tensor.Conv2d", "Tensor.BatchNormInference", "Tensor.op_Division", "Tensor.Concat", "Losses.MeanSquaredError"]));
        Assert.That(OperationCases.Structs(typeof(IUnaryOp<>)), Does.Contain(typeof(GeluOp)));
        Assert.That(OperationCases.Structs(typeof(IBinaryOp<>)), Does.Contain(typeof(PowerOp)));
        Assert.That(OperationCases.Structs(typeof(IReduction<>)), Does.Contain(typeof(MaxOp)));
        Assert.That(OperationCases.All().Select(one => one.Name), Is.Unique);
    });
}
