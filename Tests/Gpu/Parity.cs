namespace QuadEngine.Tests.Gpu;

/// <summary>Checks that two devices give the same results.</summary>
static class Parity
{
    /// <summary>Compares all results of a case, relative to the larger of 1 and their size.</summary>
    public static void AssertSame(BackendCase testCase, Device expectedOn, Device gotOn, int seed, bool tiny = false, Func<float, float>? round = null, bool aligned = false)
    {
        foreach (var (name, wanted, values) in Sample.Run(testCase, expectedOn, gotOn, seed, tiny, round, aligned))
        {
            Assert.That(values, Has.Length.EqualTo(wanted.Length), name);
            for (var i = 0; i < wanted.Length; i++)
            {
                if (float.IsNaN(wanted[i]) && float.IsNaN(values[i]) || wanted[i] == values[i]) continue;
                var error = Math.Abs(values[i] - wanted[i]) / Math.Max(1f, Math.Abs(wanted[i]));
                if (!(error <= testCase.Tolerance))
                    Assert.Fail($"{testCase} (seed {seed}): {name}[{i}] of {wanted.Length} is {values[i]:G9} on {gotOn}, {wanted[i]:G9} on {expectedOn}");
            }
        }
    }
}
