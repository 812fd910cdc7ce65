using QuadEngine.Gpu;
using QuadEngine.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>What happens on the host side of CUDA: discovery, memory, text handed to the driver, launches. On a stub of the driver.</summary>
public class CudaHostTests
{
    [Test]
    public void The_device_is_found_under_its_name()
    {
        var device = StubDriver.Instance.Device;
        Assert.That(device.Name, Is.EqualTo("cuda:0"));
        Assert.That(device.Accelerator.Name, Is.EqualTo("Stub H200"));
    }

    [Test]
    public void Values_go_to_the_device_and_come_back()
    {
        float[] values = [.. Enumerable.Range(0, 3000).Select(i => (float)i)];
        using var x = Tensor.FromArray(values, [3000], StubDriver.Instance.Device);
        Assert.That(x.ToArray(), Is.EqualTo(values));
    }

    [Test]
    public void A_launch_reaches_the_driver_on_a_stream_of_its_own_with_rewritten_text()
    {
        var stub = StubDriver.Instance;
        var before = stub.Count("launches");
        using Tensor x = Tensor.FromArray(new float[12], [3, 4], stub.Device), y = QuadEngine.Operations.MatMul.Apply(x, x.Transpose());
        Assert.That(y.ToArray(), Has.Length.EqualTo(9));
        Assert.That(stub.Count("launches"), Is.GreaterThan(before));
        Assert.That(stub.Count("null_stream_launches"), Is.Zero, "the default stream waits for all others and cannot be captured");
        Assert.That(stub.LastPtx, Does.Contain(".entry").And.Not.Contain("bra.uni"));
    }

    [Test]
    public void A_kernel_compiled_in_one_run_is_read_in_the_next()
    {
        var stub = StubDriver.Instance;
        using var x = Tensor.Full([5], 1f, stub.Device);
        var folder = Environment.GetEnvironmentVariable(PtxCache.FolderVariable)!;
        Assert.That(Directory.GetFiles(folder, "*.ptx"), Is.Not.Empty);

        // Another device of the same kind stands for the next run: it compiles nothing that the folder has.
        foreach (var file in Directory.GetFiles(folder)) File.AppendAllText(file, "// from the cache\n");
        var next = (GpuDevice)new GpuDevices().TryGet("cuda")!;
        using var y = Tensor.Full([5], 1f, next);
        y.ToArray();
        Assert.That(stub.LastPtx, Does.Contain("from the cache"));
    }

    [Test]
    public void Out_of_memory_says_what_was_asked_held_and_free()
    {
        var device = StubDriver.Instance.Device;
        using var held = Tensor.Empty([64 << 20], device);
        var error = Assert.Throws<OutOfMemoryException>(() => Tensor.Empty([250 << 20], device));
        Assert.That(error.Message, Does.Contain("cuda:0 (Stub H200)").And.Contain("asked for 1.00 GiB").Or.Contain("asked for 0.98 GiB"));
        Assert.That(error.Message, Does.Contain("tensors in use hold").And.Contain("Try a batch of at most"));
    }
}
