using System.Text.RegularExpressions;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Tests.Gpu;

/// <summary>What the driver of CUDA can refuse, and the messages that users get then. The tests use a stub of the driver.</summary>
public class CudaFailureTests
{
    // No kernel can fill a block here, so freed memory must not be required to hold NaN.
    [SetUp]
    public void LeaveMemoryAsItIs() => BufferPool.IsGuarded = false;

    [TearDown]
    public void GuardMemory() => GuardedMemory.Switch();

    [Test]
    public void Out_of_memory_says_what_was_asked_held_and_free()
    {
        var device = StubDriver.Instance.Device;
        using var held = Tensor.Empty([64 << 20], device);
        var error = Assert.Throws<OutOfMemoryException>(() => Tensor.Empty([250 << 20], device));
        Assert.That(error.Message, Does.Contain("cuda:0 (Stub H200)").And.Contain("asked for 1.00 GiB").Or.Contain("asked for 0.98 GiB"));
        Assert.That(error.Message, Does.Contain("tensors in use hold").And.Contain("Try a batch of at most"));
    }

    [Test]
    public void Out_of_memory_frees_what_the_pool_keeps_before_it_fails()
    {
        var device = StubDriver.Instance.Device;
        device.Pool.Trim();
        Tensor.Empty([40 << 20], device).Dispose();
        Tensor.Empty([48 << 20], device).Dispose();
        Assert.That(device.Pool.Statistics.Reserved, Is.GreaterThan(340L << 20));
        using var large = Tensor.Empty([200 << 20], device);
        Assert.That(device.Pool.Statistics.Reserved, Is.LessThan(1L << 30), "all memory of the stub: the free blocks were returned to the driver");
    }

    [Test]
    public void A_driver_too_old_for_the_gpu_is_no_device_and_says_so()
    {
        var stub = StubDriver.Instance;
        stub.Set("version", 9000);
        try
        {
            Assert.That(new GpuDevices().TryGet("cuda"), Is.Null);
            Assert.That(GpuDiagnostics.WhyNone("cuda"), Does.Contain("for CUDA 9.0, is too old for the GPU"));
        }
        finally
        {
            stub.Set("version", 12080);
        }
    }

    [Test]
    public void A_kernel_that_the_driver_refuses_is_named_with_its_architecture()
    {
        var stub = StubDriver.Instance;
        stub.Set("refuse_modules", 1);
        try
        {
            var device = new GpuDevices().TryGet("cuda")!;
            var error = Assert.Throws<InvalidOperationException>(() => Tensor.Full([3], 1f, device));
            Assert.That(error.Message, Does.Contain("Pointwise<Filling, Single>: this kernel does not compile for Stub H200, SM_90").And.Contain("driver 12.8"));
            Assert.That(error.Message, Does.Contain("ptxas application ptx input, line 9; error : refused by the stub"), "the driver's words");
            Assert.That(File.ReadAllText(Regex.Match(error.Message, @"is in (\S+\.ptx)").Groups[1].Value), Does.Contain(".entry Pointwise_Filling_Single("));
        }
        finally
        {
            stub.Set("refuse_modules", 0);
        }
    }

    [Test]
    public void Errors_of_the_driver_at_an_allocation_are_not_all_a_lack_of_memory()
    {
        var stub = StubDriver.Instance;
        stub.Device.Pool.Trim();
        stub.Set("allocation_error", 719);
        try
        {
            var error = Assert.Throws<InvalidOperationException>(() => Tensor.Empty([77_777], stub.Device));
            Assert.That(error.Message, Does.Contain("LAUNCH_FAILED").And.Contain("start it again"));
        }
        finally
        {
            stub.Set("allocation_error", 0);
        }
    }

    [TestCase("refuse_programmatic", GraphEdges.Full)]
    [TestCase("refuse_edges", GraphEdges.Chain)]
    public void Where_the_driver_refuses_edges_the_graph_has_plainer_ones(string refuses, GraphEdges plainer)
    {
        var stub = StubDriver.Instance;
        var training = new RecordedStepTests.SmallTraining(stub.Device, rank: 3, adam: true);
        using var step = new RecordedStep(stub.Device, training.Step);
        stub.Set(refuses, 1);
        try
        {
            var graphs = stub.Count("graph_launches");
            for (var i = 0; i < 3; i++)
            {
                training.Prepare(i);
                step.Run();
            }

            var form = stub.Device.Graph!;
            Assert.That((form.Kind, stub.Device.GraphRefusal), Is.EqualTo((plainer, (string?)null)));
            Assert.That(form.Refusal, Does.StartWith("Programmatic edges: "));
            Assert.That(form.LongestChain, plainer == GraphEdges.Chain ? Is.EqualTo(form.Nodes) : Is.LessThan(form.Nodes));
            Assert.That((stub.Count("graph_launches") - graphs, stub.Count("graph_programmatic"), stub.Count("graph_edges")), Is.EqualTo((1, 0, form.Edges)));
        }
        finally
        {
            stub.Set(refuses, 0);
        }
    }

    [Test]
    public void Where_the_driver_refuses_graphs_kernels_are_launched_one_by_one()
    {
        var stub = StubDriver.Instance;
        var training = new RecordedStepTests.SmallTraining(stub.Device, rank: 3, adam: true);
        using var step = new RecordedStep(stub.Device, training.Step);
        stub.Set("refuse_graphs", 1);
        try
        {
            for (var i = 0; i < 2; i++)
            {
                training.Prepare(i);
                step.Run();
            }

            var (launches, graphs) = (stub.Count("launches"), stub.Count("graph_launches"));
            training.Prepare(2);
            step.Run();
            var perStep = stub.Count("launches") - launches;
            training.Prepare(3);
            step.Run();
            Assert.That(perStep, Is.GreaterThan(50));
            Assert.That(stub.Count("launches"), Is.EqualTo(launches + 2 * perStep));
            Assert.That(stub.Count("graph_launches"), Is.EqualTo(graphs));
            Assert.That(stub.Device.GraphRefusal, Does.Contain("Chain edges: "));
            Assert.That(stub.Device.Graph, Is.Null);
            Assert.That(step.IsRecorded);
        }
        finally
        {
            stub.Set("refuse_graphs", 0);
        }
    }
}
