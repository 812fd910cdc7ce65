namespace QuadEngine.Tests.Geometry;

/// <summary>The geometries of <see cref="GeometryTests"/> on GPUs.</summary>
public class DeviceGeometryTests
{
    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void OpenCl_is_right(GeometryCase testCase)
    {
        // PoCL takes seconds for a kernel; BackendParityTests run all methods on it, and the texts for CUDA are executed in any case.
        var count = Math.Min(12, GeometryRun.Count(0));
        if (count == 0) Assert.Ignore("QUADENGINE_GEOMETRIES says how many geometries OpenCL runs; it compiles for more than a minute.");
        GeometryRun.Check(testCase, TestDevices.OpenCl, count, tiny: false);
    }

    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void The_simulator_is_right(GeometryCase testCase) => GeometryRun.Check(testCase, TestDevices.Simulator, Math.Min(4, GeometryRun.Count(4)), tiny: true);
}
