using System.Reflection;

namespace QuadEngine.Tests.Operations;

/// <summary>Every operation of the engine with a way to call it. Reflection finds them, so there is no list.</summary>
public static class OperationCases
{
    /// <summary>Returns the structs of the given kind (<c>typeof(IUnaryOp&lt;&gt;)</c>) in the engine.</summary>
    public static IEnumerable<Type> Structs(Type kind) => typeof(Tensor).Assembly.GetTypes()
        .Where(type => type.IsValueType && !type.IsNestedPrivate && type.GetInterfaces().Any(of => of.IsGenericType && of.GetGenericTypeDefinition() == kind))
        .OrderBy(type => type.Name, StringComparer.Ordinal);

    /// <summary>Returns the methods of this assembly that are marked with <see cref="CaseForAttribute"/>.</summary>
    public static IEnumerable<MethodInfo> Providers() => typeof(OperationCases).Assembly.GetTypes()
        .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
        .Where(method => method.GetCustomAttributes<CaseForAttribute>().Any());

    public static IEnumerable<OperationCase> All()
    {
        foreach (var type in Structs(typeof(IUnaryOp<>)))
            yield return Of(nameof(ElementwiseCases.Unary), type);
        foreach (var type in Structs(typeof(IBinaryOp<>)))
        {
            yield return Of(nameof(ElementwiseCases.Binary), type);
            yield return Of(nameof(ElementwiseCases.BinaryScalar), type);
        }

        foreach (var method in Providers())
            yield return new OperationCase($"{method.DeclaringType!.Name.Replace("Cases", "", StringComparison.Ordinal)}.{method.Name}", method.CreateDelegate<Func<Dice, OperationCall>>());
        foreach (var one in TensorMethodCases.All()) yield return one;
    }

    static OperationCase Of(string provider, Type type) => new($"{provider}.{type.Name}",
        typeof(ElementwiseCases).GetMethod(provider)!.MakeGenericMethod(type).CreateDelegate<Func<Dice, OperationCall>>());
}
