using System.Globalization;

namespace QuadEngine.Tests.Geometry;

/// <summary>Runs a method of the backend on geometries drawn from consecutive seeds.</summary>
public static class GeometryRun
{
    /// <summary>The number of geometries: QUADENGINE_GEOMETRIES if it is set.</summary>
    public static int Count(int otherwise) => Setting("QUADENGINE_GEOMETRIES", otherwise);

    static int Setting(string name, int otherwise) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    /// <summary>Runs a case, and fails with the seeds whose results are wrong.</summary>
    public static void Check(GeometryCase testCase, Device device, int count, bool tiny, Action<Draw, int>? more = null)
    {
        int first = Setting("QUADENGINE_FIRST_GEOMETRY", 0);
        double worst = 0;
        var failures = new List<string>();
        for (var seed = first; seed < first + count; seed++)
        {
            using var draw = new Draw(device, seed, tiny);
            try
            {
                using var isolated = new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext();
                testCase.Run(draw);
                draw.CheckSurroundings();
                more?.Invoke(draw, seed);
            }
            catch (Exception exception)
            {
                failures.Add($"{testCase} on {device}, seed {seed}, {draw.Notes}: {exception.GetType().Name} {exception.Message}");
            }

            worst = Math.Max(worst, draw.Worst);
        }

        TestContext.Out.WriteLine($"{testCase} on {device}: {count} geometries from seed {first}, {failures.Count} wrong, largest error over bound {worst:F2}");
        if (failures.Count > 0) Assert.Fail($"{failures.Count} of {count} geometries are wrong:\n{string.Join('\n', failures.Take(5))}");
    }
}
