using System.Globalization;
using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>
/// The whole CUDA path without a GPU: host code, arguments, graphs, and the PTX of every kernel as a driver would get it. The interpreter in Ptx/
/// executes and checks the kernels.
/// </summary>
public class PtxExecutionTests
{
    /// <summary>The number of calls of each method; QUADENGINE_CALLS=100 makes 100 calls.</summary>
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

    [Test]
    public void Warp_groups_multiply_numbers_of_the_format_too([ValueSource(typeof(PrecisionTests), nameof(PrecisionTests.Cases))] BackendCase testCase, [Values(Precision.Tf32, Precision.Bf16)] Precision precision)
    {
        for (var seed = 0; seed < Calls; seed++) Parity.AssertSame(testCase, Device.Cpu, cuda.Device(precision, TileChoice.WarpGroups256x128), InterpretedCuda.Seed = seed, round: Bf16.Round);
    }

    [TestCase(Precision.Tf32, 1e-5, 2e-3)]
    [TestCase(Precision.Bf16, 1e-4, 1e-2)]
    public void Warp_groups_round_factors_to_the_format_and_no_further(Precision precision, double least, double most) => PrecisionTests.AssertRounded(cuda.Device(precision, TileChoice.WarpGroups256x128), least, most);

    [TestCase(Precision.Float32, 0, 1e-6)]
    [TestCase(Precision.Tf32, 1e-5, 2e-3)]
    [TestCase(Precision.Bf16, 1e-4, 1e-2)]
    public void Factors_are_rounded_to_the_format_and_no_further(Precision precision, double least, double most) => PrecisionTests.AssertRounded(cuda.Device(precision), least, most);

    [TestCaseSource(typeof(OperationCases), nameof(OperationCases.All))]
    public void An_operation_equals_the_cpu(OperationCase operation)
    {
        for (var seed = 0; seed < Calls; seed += 3) DeviceOperationTests.AssertSame(operation, cuda.Device(), (ulong)seed + 2, tolerance: 1e-4);
    }

    [TestCase(0, false, Precision.Float32)]
    [TestCase(3, true, Precision.Float32)]
    [TestCase(3, false, Precision.Tf32)]
    public void Graphs_give_the_bits_of_plain_steps_in_every_order_that_their_edges_allow(int rank, bool adam, Precision precision)
    {
        var device = cuda.Device(precision);
        var launched = device.GraphLaunches;
        RecordedStepTests.AssertSameBits(device, rank, adam, steps: 2 + Orders, step => StubDriver.Instance.Set("order", Math.Max(0, step - 2)));
        Assert.That(device.GraphLaunches, Is.EqualTo(launched + Orders), "a plain step, a recorded one, graphs");
        Assert.That(device.Graph!.Kind, Is.EqualTo(GraphEdges.Programmatic), device.Graph.Refusal);
    }

    // The first order is that of the launches. The second is as different as the edges allow. The others are random.
    static int Orders => Math.Max(5, Calls);

    [Test]
    public void A_kernel_of_ones_own_comes_after_all_before_it_and_before_all_behind_it() => Assert.That(BitsDiffer(edge: 0), Is.False);

    // Every edge is necessary.
    [Test]
    public void An_edge_that_is_missing_is_found()
    {
        var edges = 0;
        do Assert.That(BitsDiffer(++edges), $"without edge {edges} of {cuda.Device().Graph}");
        while (edges < cuda.Device().Graph!.Edges);
        Assert.That(edges, Is.GreaterThan(8));
    }

    // Runs several orders of a step with two branches, a kernel that belongs to no operation, and memory that is written in place.
    bool BitsDiffer(int edge)
    {
        var device = cuda.Device();
        using Tensor x = Tensor.Empty([1000], device), y = Tensor.Empty([1000], device), sum = Tensor.Scalar(0f, device);
        StubDriver.Instance.Set("lost_edge", edge);
        using var step = new RecordedStep(device, () =>
        {
            using Tensor a = x * 2f, b = a + 1f, c = x * x, most = c.Max();
            using (Operand own = b.Write(), other = most.Read()) device.Launch(new Join(own.View(), other.View(), b.Length), groups: 4);
            using Tensor d = b + c, e = d * x, total = most + e.Sum();
            y.Assign(e);
            sum.Assign(total);
        });
        for (var i = 0; i < 42; i++)
        {
            StubDriver.Instance.Set("order", Math.Max(0, i - 2));
            x.Assign([.. Enumerable.Range(0, 1000).Select(k => (7 * k + i) % (20 + i % 7) - 5f)]);
            step.Run();
            float[] values = x.ToArray(), squares = [.. values.Select(v => v * v)];
            float[] expected = [.. values.Select(v => (2 * v + 1 + squares.Max() + v * v) * v)];
            if (!y.ToArray().AsSpan().SequenceEqual(expected) || sum.Item() != squares.Max() + expected.Sum()) return true;
        }

        Assert.That(step.IsRecorded, step.Refusal);
        return false;
    }

    [TearDown]
    public void LaunchGraphsInTheirOrder()
    {
        StubDriver.Instance.Set("order", 0);
        StubDriver.Instance.Set("lost_edge", 0);
    }

    [Test]
    public void Texts_are_those_for_a_driver_of_today() =>
        Assert.That(((ILGPU.Runtime.Cuda.CudaAccelerator)cuda.Device().Accelerator).InstructionSet, Is.EqualTo(ILGPU.Runtime.Cuda.CudaInstructionSet.ISA_88));

    [Test]
    public void A_resnet_learns_the_same([Values(0, 3)] int rank) =>
        Assert.That(TrainingParityTests.Losses(rank, cuda.Device(), steps: 3), Is.EqualTo(TrainingParityTests.Losses(rank, Device.Cpu, steps: 3)).Within(0.2).Percent);

    // The step uses the tiles that it uses on a card. This takes minutes here.
    [Test]
    public void A_resnet_20_at_batch_128_on_tensor_cores_learns_the_same()
    {
        if (Calls < 100) Assert.Ignore("It takes about five minutes; QUADENGINE_CALLS=100 runs it.");
        Assert.That(Losses(cuda.Device(Precision.Tf32)), Is.EqualTo(Losses(Device.Cpu)).Within(0.1).Percent);

        static float[] Losses(Device device)
        {
            Generator.Default = new Generator(5);
            var network = QuadEngine.Models.ResNet.Cifar(20, 10, Layers.Neurons.Quadratic(3)).To(device);
            var sgd = new Sgd(network.ParameterGroups(), 0.05f, momentum: 0.9f, weightDecay: 1e-4f);
            using var images = Tensor.Normal([128, 32, 32, 3], generator: new Generator(9)).To(device);
            using var labels = IntTensor.FromArray([.. Enumerable.Range(0, 128).Select(i => i % 10)], device);
            return [Step(), Step()];

            float Step()
            {
                using var scope = new TensorScope();
                var loss = QuadEngine.Losses.CrossEntropy(network.Forward(images), labels);
                loss.Backward();
                sgd.Step();
                return loss.Item();
            }
        }
    }

    // Blocks run in another order for each seed, two at a time. Folds and slices of sums count which block comes last.
    [Test]
    public void The_order_of_blocks_changes_no_bit()
    {
        using Tensor x = Tensor.Uniform([3, 20_000, 2], generator: new Generator(3)).To(cuda.Device()), a = x.Reshape([60, 2_000]), b = x.Reshape([2_000, 60]);
        float[] Results(int seed)
        {
            InterpretedCuda.Seed = seed;
            using Tensor sum = x.Sum([1]), product = a.MatMul(b);
            return [.. sum.ToArray(), .. product.ToArray()];
        }

        var first = Results(1);
        for (var seed = 2; seed < 5; seed++) Assert.That(Results(seed), Is.EqualTo(first));
    }

    // The kernel is that of docs/kernels.md.
    [Test]
    public void A_kernel_of_ones_own_runs()
    {
        using var x = Tensor.Ones([1000], cuda.Device());
        cuda.Device().Launch(new Scale(x.Write().View(), 2f, x.Length), groups: 4);
        Assert.That(x.ToArray(), Has.All.EqualTo(2f));
    }

    [Test]
    public void A_kernel_that_reads_too_far_is_stopped()
    {
        using var x = Tensor.Ones([1000], cuda.Device());
        var error = Assert.Throws<ILGPU.Runtime.Cuda.CudaException>(() => cuda.Device().Launch(new Scale(x.Write().View(), 2f, int.MaxValue), groups: 1 << 22));
        Assert.That(error.Message, Does.Match(@"^Scale, line \d+: ld\.global\.f32 .*\s+block \(\d+, 0, 0\), thread \d+: 4 bytes of global memory: address .* nearest allocation"));
    }

    [Test]
    public void A_fold_without_its_fences_is_stopped()
    {
        InterpretedCuda.Rewrite = text => text.Replace("membar.gl;", "");
        try
        {
            using var x = Tensor.Ones([100_000], new GpuDevices().TryGet("cuda")!);
            Assert.That(Assert.Throws<ILGPU.Runtime.Cuda.CudaException>(() => x.Sum()).Message, Does.Contain("executed no fence"));
        }
        finally
        {
            InterpretedCuda.Rewrite = text => text;
        }
    }

    readonly struct Join(ILGPU.ArrayView<float> x, ILGPU.ArrayView<float> y, int n) : IKernel
    {
        public void Run()
        {
            var i = ILGPU.Grid.IdxX * IKernel.DefaultThreads + ILGPU.Group.IdxX;
            if (i < n) x[i] += y[0];
        }
    }

    readonly struct Scale(ILGPU.ArrayView<float> x, float factor, int n) : IKernel
    {
        public void Run()
        {
            var i = ILGPU.Grid.IdxX * IKernel.DefaultThreads + ILGPU.Group.IdxX;
            if (i < n) x[i] *= factor;
        }
    }
}
