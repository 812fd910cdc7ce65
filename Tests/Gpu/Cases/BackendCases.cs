using System.Reflection;
using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every method of the backend with random arguments; generic methods with every operation, found by reflection.</summary>
static partial class BackendCases
{
    public static IEnumerable<BackendCase> All =>
    [
        .. Memory, .. Plain, .. Projections, .. Neurons, .. Norms, .. Losses, .. Attentions, .. Pools, .. Random, .. Updates,
        .. ForEach(typeof(IUnaryOp<>), nameof(Backend.Unary), nameof(Unary)),
        .. ForEach(typeof(IUnaryOp<>), nameof(Backend.UnaryBackward), nameof(UnaryBackward)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.Binary), nameof(Binary)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.BinaryBackward), nameof(BinaryBackward)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.BinaryScalar), nameof(BinaryScalar)),
        .. ForEach(typeof(IBinaryOp<>), nameof(Backend.BinaryScalarBackward), nameof(BinaryScalarBackward)),
        .. ForEach(typeof(IReduction<>), nameof(Backend.Reduce), nameof(Reduce)),
        .. ForEach(typeof(IComparison<>), nameof(Backend.Binary), nameof(ComparisonAtTheEdges), " at the edges"),
        LargeAngles<SinOp>(), LargeAngles<CosOp>(),
    ];

    /// <summary>Structs of the engine that implement an operation interface.</summary>
    static IEnumerable<BackendCase> ForEach(Type contract, string method, string runner, string suffix = "") =>
        from type in typeof(Backend).Assembly.GetTypes()
        where type is { IsValueType: true, IsNestedPrivate: false, ContainsGenericParameters: false } && type.GetInterfaces().Any(candidate => candidate.IsGenericType && candidate.GetGenericTypeDefinition() == contract)
        orderby type.Name
        select new BackendCase(method, type.Name + suffix, typeof(BackendCases).GetMethod(runner, BindingFlags.Static | BindingFlags.NonPublic)!.MakeGenericMethod(type).CreateDelegate<Action<Sample>>());
}
