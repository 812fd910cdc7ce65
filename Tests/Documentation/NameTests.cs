using System.Reflection;
using QuadEngine.Devices;
using QuadEngine.Layers;

namespace QuadEngine.Tests.Documentation;

/// <summary>Names of the packages clash neither with each other nor with the namespaces that a console project imports by itself.</summary>
public class NameTests
{
    static readonly Type[] types = [.. Programs.Packages.SelectMany(package => package.ExportedTypes).Where(type => !type.IsNested)];

    [Test]
    public void A_program_that_imports_all_namespaces_uses_every_type_by_its_plain_name()
    {
        var usings = types.Select(type => $"using {type.Namespace};\n").Distinct();
        Assert.That(Programs.Errors($"{string.Concat(usings)}{Uses(types)}"), Is.Empty);
    }

    [Test]
    public void A_program_that_imports_two_namespaces_uses_every_layer_and_operation()
    {
        var layers = types.Where(type => type.Namespace == typeof(Linear).Namespace);
        // Operands are the memory that kernels read and write: these are for those who write kernels, in a namespace of their own.
        var operations = new[] { typeof(Tensor), typeof(IntTensor), typeof(Losses) }
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Where(method => !method.IsSpecialName && method.GetBaseDefinition() == method && method.ReturnType != typeof(Operand)).ToArray();
        Assert.That(operations, Has.Length.GreaterThan(100));
        Assert.That(Programs.Errors($"using QuadEngine;\nusing QuadEngine.Layers;\n{Uses(layers)}{string.Concat(operations.Select(Call))}"), Is.Empty);
    }

    static string Uses(IEnumerable<Type> types) => string.Concat(types.Select(type => $"_ = typeof({Plain(type)}{(type.IsGenericType ? $"<{new string(',', type.GetGenericArguments().Length - 1)}>" : "")});\n"));

    // A function that calls the operation with arguments of the types that it declares.
    static string Call(MethodInfo method, int index)
    {
        var parameters = method.GetParameters();
        var self = method.IsStatic ? Plain(method.DeclaringType!) : "self";
        var declared = parameters.Select(parameter => $"{Name(parameter.ParameterType)} {parameter.Name}").Concat(method.IsStatic ? [] : [$"{Plain(method.DeclaringType!)} self"]);
        var generic = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(Plain))}>" : "";
        var constraints = string.Concat(method.IsGenericMethod ? method.GetGenericArguments().Select(Constraint) : []);
        return $"static {Name(method.ReturnType)} Call{index}{generic}({string.Join(", ", declared)}){constraints} => {self}.{method.Name}{generic}({string.Join(", ", parameters.Select(parameter => parameter.Name))});\n";
    }

    static string Constraint(Type argument)
    {
        var structure = argument.GenericParameterAttributes.HasFlag(GenericParameterAttributes.NotNullableValueTypeConstraint);
        var bases = argument.GetGenericParameterConstraints().Where(type => type != typeof(ValueType)).Select(Name);
        string[] all = [.. structure ? ["struct"] : Array.Empty<string>(), .. bases];
        return all.Length == 0 ? "" : $" where {argument.Name} : {string.Join(", ", all)}";
    }

    static string Name(Type type) =>
        type == typeof(void) ? "void" :
        type.IsArray ? $"{Name(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]" :
        type.IsGenericType ? $"{Plain(type)}<{string.Join(", ", type.GetGenericArguments().Select(Name))}>" :
        Plain(type);

    static string Plain(Type type) => type.Name.Split('`')[0];
}
