using QuadEngine.Devices;

namespace QuadEngine.Tests.Gpu;

/// <summary>Every GPU kernel gives the result of the CPU kernel.</summary>
[Parallelizable]
public class BackendParityTests
{
    static readonly string[] elementwise =
        [nameof(Backend.Unary), nameof(Backend.UnaryBackward), nameof(Backend.Binary), nameof(Backend.BinaryBackward), nameof(Backend.BinaryScalar), nameof(Backend.BinaryScalarBackward)];

    // PoCL takes a second to compile a function of elements. One in three is checked, and those whose variant names special values; QUADENGINE_CALLS asks for all.
    // The simulator and the interpreter of CUDA kernels always run all of them.
    static IEnumerable<BackendCase> OnOpenCl => BackendCases.All.Where((testCase, i) =>
        i % 3 == 0 || !elementwise.Contains(testCase.Method) || testCase.Variant.Contains(' ', StringComparison.Ordinal) || Environment.GetEnvironmentVariable("QUADENGINE_CALLS") is not null);

    [TestCaseSource(nameof(OnOpenCl))]
    public void OpenCl_equals_the_cpu(BackendCase testCase)
    {
        var device = TestDevices.OpenCl;
        for (var seed = 0; seed < 8; seed++) Parity.AssertSame(testCase, Device.Cpu, device, seed);
    }

    [TestCaseSource(typeof(BackendCases), nameof(BackendCases.All))]
    public void The_simulator_equals_the_cpu(BackendCase testCase) => Parity.AssertSame(testCase, Device.Cpu, TestDevices.Simulator, seed: 1, tiny: true);

    [Test]
    public void Batches_beyond_one_grid_equal_the_cpu()
    {
        using Tensor a = Tensor.Uniform([70_000, 1, 2], -1f, 1f, new Generator(1)), b = Tensor.Uniform([70_000, 2, 1], -1f, 1f, new Generator(2)), expected = a.MatMul(b);
        using Tensor left = a.To(TestDevices.OpenCl), right = b.To(TestDevices.OpenCl), got = left.MatMul(right);
        Assert.That(got.ToArray(), Is.EqualTo(expected.ToArray()).Within(1e-6f));
    }

    [Test]
    public void Every_method_of_the_backend_has_a_case() =>
        Assert.That(BackendCases.All.Select(testCase => testCase.Method).Distinct(), Is.EquivalentTo(typeof(Kernels).GetMethods().Where(method => method.IsAbstract).Select(method => method.Name)));
}
