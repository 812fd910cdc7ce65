using System.Reflection;
using System.Xml.Linq;
using QuadEngine.Data;
using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Documentation;

/// <summary>The documentation of a public method says what each argument is.</summary>
public sealed class ParameterTests
{
    const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    static IEnumerable<Assembly> Packages() => new[] { typeof(Tensor), typeof(GpuDevices), typeof(Linear), typeof(ImageDataset), typeof(ResNet) }.Select(type => type.Assembly);

    [TestCaseSource(nameof(Packages))]
    public void Each_argument_of_a_public_method_is_documented(Assembly package)
    {
        var documented = XDocument.Load(Path.ChangeExtension(package.Location, ".xml")).Descendants("member").ToDictionary(member => member.Attribute("name")!.Value);
        var arguments = package.GetExportedTypes().SelectMany(ArgumentsOf).ToArray();
        var written = package.GetTypes().SelectMany(type => type.GetMembers(Declared).OfType<MethodBase>()).Select(MemberOf);
        Assert.That(documented.Keys.Where(name => name.StartsWith("M:QuadEngine", StringComparison.Ordinal)).Except(written), Is.Empty, "the test and the compiler write a name differently");
        var missing = arguments.Where(argument => documented.TryGetValue(argument.Member, out var member) && !Tells(member, argument.Name));
        Assert.That(string.Join("\n", missing.Select(argument => $"{argument.Name} of {argument.Member}")), Is.Empty);
    }

    // Members that the compiler writes for a record have no documentation, and do not count here.
    static bool Tells(XElement member, string argument) => member.Element("inheritdoc") is not null
        || member.Elements("param").Any(param => param.Attribute("name")!.Value == argument && (param.Value.Trim().Length > 0 || param.HasElements));

    static IEnumerable<(string Member, string Name)> ArgumentsOf(Type type)
    {
        if (type.IsSubclassOf(typeof(Delegate))) return type.GetMethod("Invoke")!.GetParameters().Select(parameter => ($"T:{NameOf(type)}", parameter.Name!));
        var methods = type.GetMembers(Declared).OfType<MethodBase>().Where(method => (IsSeen(method) && !method.IsSpecialName) || method is ConstructorInfo && IsSeen(method) || IsOperator(method))
            .Select(method => (Member: MemberOf(method), Parameters: method.GetParameters()));
        var indexers = type.GetProperties(Declared).Where(property => property.GetAccessors(nonPublic: true).Any(IsSeen))
            .Select(property => (Member: $"P:{NameOf(type)}.{property.Name}{ListOf(property.GetIndexParameters())}", Parameters: property.GetIndexParameters()));
        return methods.Concat(indexers).SelectMany(member => member.Parameters.Select(parameter => (member.Member, parameter.Name!)));
    }

    static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    static bool IsOperator(MethodBase method) => method.IsPublic && method.IsSpecialName && method.Name.StartsWith("op_", StringComparison.Ordinal);

    // ---- the compiler's names in documentation

    static string MemberOf(MethodBase method)
    {
        var arity = method.IsGenericMethod ? $"``{method.GetGenericArguments().Length}" : "";
        var result = method.Name is "op_Implicit" or "op_Explicit" ? $"~{Written(((MethodInfo)method).ReturnType)}" : "";
        return $"M:{NameOf(method.DeclaringType!)}.{method.Name.Replace('.', '#')}{arity}{ListOf(method.GetParameters())}{result}";
    }

    static string ListOf(ParameterInfo[] parameters) => parameters.Length == 0 ? "" : $"({string.Join(",", parameters.Select(parameter => Written(parameter.ParameterType)))})";

    static string NameOf(Type type) => type.FullName!.Replace('+', '.');

    static string Written(Type type)
    {
        if (type.IsByRef) return $"{Written(type.GetElementType()!)}@";
        if (type.IsPointer) return $"{Written(type.GetElementType()!)}*";
        if (type.IsArray) return $"{Written(type.GetElementType()!)}[{(type.GetArrayRank() == 1 ? "" : string.Join(",", Enumerable.Repeat("0:", type.GetArrayRank())))}]";
        if (type.IsGenericMethodParameter) return $"``{type.GenericParameterPosition}";
        if (type.IsGenericTypeParameter) return $"`{type.GenericParameterPosition}";
        if (type.IsFunctionPointer) return "function";
        if (!type.IsGenericType) return NameOf(type);

        // Arguments follow the type that they belong to. Several types may be nested.
        var (name, taken) = ("", 0);
        foreach (var part in NameOf(type.GetGenericTypeDefinition()).Split('.'))
        {
            var pieces = part.Split('`');
            name += name.Length == 0 ? pieces[0] : $".{pieces[0]}";
            if (pieces.Length == 1) continue;
            var count = int.Parse(pieces[1], System.Globalization.CultureInfo.InvariantCulture);
            name += $"{{{string.Join(",", type.GetGenericArguments()[taken..(taken += count)].Select(Written))}}}";
        }

        return name;
    }
}
