namespace QuadEngine.Tests.Geometry;

/// <summary>Every method of the backend.</summary>
public static class GeometryCases
{
    public static IEnumerable<GeometryCase> All =>
    [
        .. MemoryGeometries.All, .. ElementwiseGeometries.All, .. ReductionGeometries.All, .. ProjectionGeometries.All, .. NeuronGeometries.All,
        .. NormalizationGeometries.All, .. SoftmaxGeometries.All, .. AttentionGeometries.All, .. PoolingGeometries.All, .. RandomNumberGeometries.All, .. OptimizerGeometries.All,
    ];
}
