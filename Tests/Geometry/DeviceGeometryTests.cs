namespace QuadEngine.Tests.Geometry;

/// <summary>The geometries of <see cref="GeometryTests"/> on GPUs.</summary>
public class DeviceGeometryTests
{
    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void OpenCl_is_right(GeometryCase testCase) => GeometryRun.Check(testCase, TestDevices.OpenCl, Math.Min(12, GeometryRun.Count(12)), tiny: false);

    [TestCaseSource(typeof(GeometryCases), nameof(GeometryCases.All))]
    public void The_simulator_is_right(GeometryCase testCase) => GeometryRun.Check(testCase, TestDevices.Simulator, Math.Min(4, GeometryRun.Count(4)), tiny: true);
}
