using System.Globalization;
using QuadEngine.Gpu;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// The CUDA path from end to end without a GPU: host code, arguments, graphs, and the PTX of every kernel as a driver would get it, executed and
/// watched by the interpreter in Ptx/.
/// </summary>
public class PtxExecutionTests
{
    /// <summary>Calls of each method; QUADENGINE_CALLS=100 draws that many.</summary>
    static readonly int Calls = int.Parse(Environment.GetEnvironmentVariable("QUADENGINE_CALLS") ?? "3", CultureInfo.InvariantCulture);

    InterpretedCuda cuda = null!;

    [OneTimeSetUp]
    public void Execute() => cuda = new InterpretedCuda();

    [OneTimeTearDown]
    public void Stop() => cuda?.Dispose();

    [TestCaseSource(typeof(BackendCases), nameof(BackendCases.All))]
    public void A_kernel_equals_the_cpu(BackendCase testCase)
    {
        for (var seed = 0; seed < Calls; seed++) Parity.AssertSame(testCase, Device.Cpu, cuda.Device(), InterpretedCuda.Seed = seed);
    }

    [Test]
    public void Tensor_cores_multiply_numbers_of_the_format_as_the_cpu_does([ValueSource(typeof(PrecisionTests), nameof(PrecisionTests.Cases))] BackendCase testCase, [Values(Precision.Tf32, Precision.Bf16)] Precision precision)
    {
        for (var seed = 0; seed < Calls; seed++) Parity.AssertSame(testCase, Device.Cpu, cuda.Device(precision), InterpretedCuda.Seed = seed, round: Bf16.Round);
    }

    [TestCase(Precision.Float32, 0, 1e-6)]
    [TestCase(Precision.Tf32, 1e-5, 2e-3)]
    [TestCase(Precision.Bf16, 1e-4, 1e-2)]
    public void Factors_are_rounded_to_the_format_and_no_further(Precision precision, double least, double most) => PrecisionTests.AssertRounded(cuda.Device(precision), least, most);

    [TestCaseSource(typeof(OperationCases), nameof(OperationCases.All))]
    public void An_operation_equals_the_cpu(OperationCase operation) => OperationParityTests.AssertSame(operation, cuda.Device(), seed: 2, tolerance: 1e-4);

    [TestCase(0, false)]
    [TestCase(3, true)]
    public void Graphs_give_the_bits_of_plain_steps(int rank, bool adam)
    {
        var launched = cuda.Device().GraphLaunches;
        RecordedStepTests.AssertSameBits(cuda.Device(), rank, adam, steps: 4);
        Assert.That(cuda.Device().GraphLaunches, Is.EqualTo(launched + 2), "a plain step, a recorded one, two graphs");
    }

    [Test]
    public void A_resnet_learns_the_same([Values(0, 3)] int rank) =>
        Assert.That(TrainingParityTests.Losses(rank, cuda.Device(), steps: 3), Is.EqualTo(TrainingParityTests.Losses(rank, Device.Cpu, steps: 3)).Within(0.2).Percent);

    [Test]
    public void A_kernel_that_reads_too_far_is_stopped()
    {
        using var x = Tensor.Full([IKernel.DefaultThreads], 1f, cuda.Device());
        var error = Assert.Throws<ILGPU.Runtime.Cuda.CudaException>(() => cuda.Device().Launch(new Overrun(x.View(), int.MaxValue / 2), groups: 1));
        Assert.That(error.Message, Does.Match(@"^Overrun, line \d+: ld\.global\.f32 .*\s+block \(0, 0, 0\), thread \d+: 4 bytes of global memory: address .* behind the end of the nearest allocation"));
    }

    /// <summary>Reads an element that is not there.</summary>
    readonly struct Overrun(ILGPU.ArrayView<float> x, int by) : IKernel
    {
        public void Run() => x[ILGPU.Group.IdxX] = x[ILGPU.Group.IdxX + by];
    }
}
