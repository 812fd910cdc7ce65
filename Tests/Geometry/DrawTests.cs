using QuadEngine.Tests.Oracles;

namespace QuadEngine.Tests.Geometry;

/// <summary>The checks of a draw find a wrong kernel.</summary>
public class DrawTests
{
    static readonly TestCaseData[] Faults =
    [
        Fault("leaves an element of its output", "element 3", s =>
        {
            var y = s.Output([4]);
            s.Backend.Fill(y.View(y.Offset, [3]), 1f);
            s.ExpectExactly("y", y, () => [1f, 1f, 1f, 1f]);
        }),
        Fault("writes behind its output", "1 elements behind an output", s =>
        {
            var y = s.Output([4]);
            s.Backend.Fill(y.View(y.Offset, [5]), float.NaN);
        }),
        Fault("writes to its input", "element 0 of an input", s => s.Backend.Fill(s.Values([4]), 1f)),
        Fault("is wrong by more than its roundings", "element 0", s =>
        {
            var y = s.Output([1]);
            s.Backend.Fill(y, 3.0000005f);
            s.Expect("y", y, () => [Approximate.Sum([1f, 2f])]);
        }),
    ];

    static TestCaseData Fault(string name, string message, Action<Draw> kernel) => new TestCaseData(message, kernel).SetArgDisplayNames(name);

    [TestCaseSource(nameof(Faults))]
    public void A_kernel_is_caught_that(string message, Action<Draw> kernel)
    {
        using var draw = new Draw(Device.Cpu, seed: 1);
        string? found = null;
        using (new NUnit.Framework.Internal.TestExecutionContext.IsolatedContext())
        {
            try
            {
                kernel(draw);
                draw.CheckSurroundings();
            }
            catch (AssertionException exception)
            {
                found = exception.Message;
            }
        }

        Assert.That(found, Does.Contain(message));
    }

    [Test]
    public void Its_numbers_are_those_of_its_seed()
    {
        static string Of(int seed)
        {
            using var draw = new Draw(Device.Cpu, seed);
            return string.Join(" ", Enumerable.Range(0, 20).Select(_ => draw.Extent(1000)));
        }

        string[] draws = [.. Enumerable.Range(0, 50).Select(Of)], again = [.. Enumerable.Range(0, 50).Select(Of)];
        Assert.That(again, Is.EqualTo(draws));
        Assert.That(draws, Is.Unique);
    }
}
