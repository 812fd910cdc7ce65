using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// A GPU, or OpenCL or ILGPU's simulator in its place. Kernels run in the order of their launches on one stream of the device;
/// the host waits only where a value is read.
/// </summary>
public sealed class GpuDevice : Device
{
    readonly Accelerator accelerator;
    readonly AcceleratorStream stream;
    readonly KernelLoader kernels;
    readonly Lock gate = new();

    // ILGPU's finalizers would free a block together with the last tensor that the collector drops, before the pool has it back.
    readonly HashSet<GpuMemory> blocks = [];

    internal GpuDevice(string name, Accelerator accelerator) : base(name)
    {
        this.accelerator = accelerator;

        // CUDA's default stream waits for all others and cannot be captured.
        stream = accelerator is CudaAccelerator ? accelerator.CreateStream() : accelerator.DefaultStream;
        kernels = new KernelLoader(accelerator);
        Backend = new GpuBackend(this);
    }

    /// <inheritdoc/>
    public override Backend Backend { get; }

    /// <summary>The underlying device of ILGPU.</summary>
    public Accelerator Accelerator => accelerator;

    /// <summary>Kernels launched so far: small networks are bound by launches.</summary>
    public long Launches { get; private set; }

    /// <summary>Different kernels compiled so far.</summary>
    public int CompiledKernels => kernels.Loaded;

    /// <summary>Runs a kernel on a grid of groups, after all that was launched before.</summary>
    /// <param name="kernel">Its fields are the arguments.</param>
    /// <param name="groups">Groups along x; nothing is launched for none.</param>
    /// <param name="groupsY">Groups along y, at most 65535.</param>
    /// <param name="groupsZ">Groups along z, at most 65535.</param>
    /// <exception cref="InvalidOperationException">The kernel does not compile for this device.</exception>
    public void Launch<TKernel>(in TKernel kernel, int groups, int groupsY = 1, int groupsZ = 1) where TKernel : struct, IKernel
    {
        if (groups == 0 || groupsY == 0 || groupsZ == 0) return;
        lock (gate)
        {
            Launches++;
            kernels.Get<TKernel>()(stream, new KernelConfig(new Index3D(groups, groupsY, groupsZ), new Index3D(TKernel.Threads, 1, 1)), kernel);
        }
    }

    /// <inheritdoc/>
    protected override DeviceMemory AllocateMemory(long bytes)
    {
        try
        {
            lock (gate)
            {
                var block = new GpuMemory(this, accelerator.Allocate1D<float>((bytes + 3) / 4));
                blocks.Add(block);
                return block;
            }
        }
        catch (Exception exception) when (exception is AcceleratorException or OutOfMemoryException)
        {
            throw OutOfMemory(bytes, exception);
        }
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<byte> source, DeviceMemory target, long offset)
    {
        if (source.IsEmpty) return;
        lock (gate)
        {
            var bytes = ((GpuMemory)target).View.Cast<byte>().SubView(offset, source.Length);
            bytes.CopyFromCPU(stream, source);
        }
    }

    /// <inheritdoc/>
    public override void Download(DeviceMemory source, long offset, Span<byte> target)
    {
        if (target.IsEmpty) return;
        lock (gate)
        {
            var bytes = ((GpuMemory)source).View.Cast<byte>().SubView(offset, target.Length);
            bytes.CopyToCPU(stream, target);
        }
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        lock (gate) stream.Synchronize();
    }

    /// <summary>A block goes back to the driver: no kernel may still use it.</summary>
    internal void Forget(GpuMemory block)
    {
        lock (gate)
        {
            stream.Synchronize();
            blocks.Remove(block);
        }
    }

    internal void CopyOnDevice(ArrayView<float> source, ArrayView<float> target)
    {
        if (source.Length == 0) return;
        lock (gate) source.CopyTo(stream, target);
    }

    OutOfMemoryException OutOfMemory(long asked, Exception cause)
    {
        const double GiB = 1 << 30;
        var (inUse, _, reserved) = Pool.Statistics;
        var free = accelerator is CudaAccelerator cuda ? cuda.GetFreeMemory() : Math.Max(0, accelerator.MemorySize - reserved);
        var fits = Math.Clamp((double)(reserved + free) / Math.Max(1, inUse + asked), 0, 0.95);
        return new OutOfMemoryException(
            $"{Name} ({accelerator.Name}) is out of memory: asked for {asked / GiB:F2} GiB; tensors in use hold {inUse / GiB:F2} GiB, the pool {reserved / GiB:F2} GiB, free on the device are {free / GiB:F2} of {accelerator.MemorySize / GiB:F2} GiB. Try a batch of at most {100 * fits:F0} % of this one, or call device.Pool.Trim() between phases.", cause);
    }
}
