using System.Reflection;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// Every kernel of the engine, closed over every operation, fold and tile that fits its constraints. Reflection finds them, so that a
/// new kernel is checked without a list.
/// </summary>
static class KernelCatalog
{
    static readonly Type[] Structs = [.. new[] { typeof(Device).Assembly, typeof(GpuDevice).Assembly }.SelectMany(assembly => assembly.GetTypes()).Where(type => type.IsValueType && !type.IsEnum && !type.IsByRefLike)];

    static readonly Lazy<Type[]> All = new(() => [.. Structs.Where(type => Implements(type, typeof(IKernel))).SelectMany(type => Close(type, [])).OrderBy(type => type.FullName, StringComparer.Ordinal)]);

    /// <summary>Kernels that run on CUDA and leave their loops to ptxas.</summary>
    public static IEnumerable<Type> Kernels => All.Value.Where(kernel => !new[] { typeof(Cores<>), typeof(EmulatedCores<>), typeof(WarpGroupCores<>), typeof(EmulatedWarpGroupCores<>) }.Any(cores => Has(kernel, cores)));

    /// <summary>Kernels for tensor cores: each format with every tile, and one tile with every product, because each takes seconds to compile.</summary>
    public static IEnumerable<Type> TensorCoreKernels => All.Value.Where(kernel => Has(kernel, typeof(Cores<>)) && (Has(kernel, typeof(PatchesProduct<AlongSum>)) || Has(kernel, typeof(Warps32x32)) && Has(kernel, typeof(Tf32))));

    /// <summary>Kernels for warp groups: each format with every product, of matrices in every direction.</summary>
    public static IEnumerable<Type> WarpGroupKernels => All.Value.Where(kernel => Has(kernel, typeof(WarpGroupCores<>)));

    static bool Has(Type type, Type part) => type == part || Definition(type) == part || type.GetGenericArguments().Any(argument => Has(argument, part));

    // Chooses type arguments one after the other. The enclosing types prevent generics that are closed over themselves.
    static IEnumerable<Type> Close(Type type, Type[] enclosing, params Type[] chosen)
    {
        if (!type.IsGenericTypeDefinition) return [type];
        var parameters = type.GetGenericArguments();
        if (chosen.Length < parameters.Length)
            return Candidates(parameters[chosen.Length], chosen, [.. enclosing, type]).SelectMany(candidate => Close(type, enclosing, [.. chosen, candidate]));
        try
        {
            return [type.MakeGenericType(chosen)];
        }
        catch (ArgumentException)
        {
            // Each argument fits, but not all of them together.
            return [];
        }
    }

    // A type without constraints is one of the value types in the interfaces of the earlier arguments, or float.
    static IEnumerable<Type> Candidates(Type parameter, Type[] chosen, Type[] enclosing)
    {
        var contracts = parameter.GetGenericParameterConstraints().Where(constraint => constraint.IsInterface).ToArray();
        return contracts.Length == 0
            ? chosen.SelectMany(type => type.GetInterfaces()).SelectMany(contract => contract.GetGenericArguments()).Where(type => type.IsValueType).Append(typeof(float)).Distinct()
            : Structs.Where(type => !enclosing.Contains(type) && contracts.All(contract => Implements(type, contract))).SelectMany(type => Close(type, enclosing));
    }

    static bool Implements(Type type, Type contract) => type.GetInterfaces().Any(candidate => Definition(candidate) == Definition(contract));

    static Type Definition(Type type) => type.IsGenericType ? type.GetGenericTypeDefinition() : type;
}
