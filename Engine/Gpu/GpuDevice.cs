using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.Cuda;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>
/// A GPU, or OpenCL or ILGPU's simulator in its place. Kernels run in the order of their launches on one stream of the device.
/// The host waits only where it reads a value.
/// </summary>
public sealed class GpuDevice : Device
{
    readonly Accelerator accelerator;
    readonly AcceleratorStream stream;
    readonly KernelLoader kernels;
    readonly Lock gate = new();
    readonly PinnedUploads? uploads;
    readonly PinnedDownloads? downloads;
    bool capturing;

    /// <summary>The largest number of groups that CUDA takes along y, and along z.</summary>
    internal const int MostGroupsYZ = 65535;

    // These references keep ILGPU's finalizers from freeing a block together with its last tensor, before the block has returned to the pool.
    readonly HashSet<GpuMemory> blocks = [];

    internal GpuDevice(string name, Accelerator accelerator) : base(name)
    {
        this.accelerator = accelerator;

        // CUDA's default stream waits for all others and cannot be captured.
        stream = accelerator is CudaAccelerator ? accelerator.CreateStream() : accelerator.DefaultStream;
        kernels = new KernelLoader(accelerator);
        uploads = PinnedUploads.TryCreate(accelerator, stream);
        if (uploads is not null) downloads = new PinnedDownloads((CudaAccelerator)accelerator, (CudaStream)stream);
        Kernels = new GpuKernels(this);
    }

    /// <inheritdoc/>
    public override Kernels Kernels { get; }

    /// <summary>The underlying device of ILGPU.</summary>
    public Accelerator Accelerator => accelerator;

    /// <summary>How factors are rounded in matrix products and convolutions. The device's name gives it ("cuda:0/tf32"); otherwise it is <see cref="Precision.Float32"/>.</summary>
    /// <remarks>A <see cref="RecordedStep"/> keeps the precision that it was recorded at. Without tensor cores (OpenCL, the simulator) other, slow instructions do the same rounding; this shows what a precision costs in accuracy.</remarks>
    /// <exception cref="NotSupportedException">The GPU has no tensor cores for this precision; it needs compute capability 8.0 or later.</exception>
    public Precision Precision
    {
        get;
        set
        {
            if (value != Precision.Float32 && accelerator is CudaAccelerator { Architecture: var architecture } && architecture < CudaArchitecture.SM_80)
                throw new NotSupportedException($"{Name} ({accelerator.Name}) is of architecture {architecture}; {value} needs tensor cores of SM_80 or later. Leave Precision at Float32.");
            field = value;
        }
    }

    /// <summary>The only tile that products use if they can, for checks and timings of tiles; null for the tile that suits best.</summary>
    internal TileChoice? OnlyTile { get; set; }

    /// <summary>The least number of groups for which a large tile pays: three quarters of the multiprocessors of a large GPU. With fewer groups, small tiles are faster.</summary>
    internal int FewestGroups { get; set; } = 99;

    /// <summary>Whether warp groups (wgmma) may compute products: on compute capability 9.0, on no later one, and in emulation.</summary>
    internal bool HasWarpGroups => accelerator is not CudaAccelerator { Architecture: var architecture, InstructionSet: var instructions } || architecture == CudaArchitecture.SM_90 && instructions >= CudaInstructionSet.ISA_80;

    /// <summary>The number of kernels launched so far. Launches limit the speed of small networks.</summary>
    public long Launches { get; private set; }

    /// <summary>The number of different kernels compiled so far.</summary>
    public int CompiledKernels => kernels.Loaded;

    /// <summary>Runs a kernel on a grid of groups, after everything that was launched before.</summary>
    /// <param name="kernel">The kernel; its fields are the arguments.</param>
    /// <param name="groups">The number of groups along x; for 0 nothing is launched.</param>
    /// <param name="groupsY">Groups along y, at most 65535.</param>
    /// <param name="groupsZ">Groups along z, at most 65535.</param>
    /// <exception cref="ArgumentException">There are more groups along y or z than CUDA takes.</exception>
    /// <exception cref="InvalidOperationException">The kernel does not compile for this device.</exception>
    public void Launch<TKernel>(in TKernel kernel, int groups, int groupsY = 1, int groupsZ = 1) where TKernel : struct, IKernel
    {
        if (groups == 0 || groupsY == 0 || groupsZ == 0) return;
        Check.That(groupsY <= MostGroupsYZ && groupsZ <= MostGroupsYZ, nameof(Launch),
            $"a grid of {groups} x {groupsY} x {groupsZ} groups has more than {MostGroupsYZ} along y or z, which CUDA does not take; let x be the long axis, or launch in parts.");
        var config = new KernelConfig(new Index3D(groups, groupsY, groupsZ), new Index3D(TKernel.Threads, 1, 1));
        lock (gate)
        {
            var launcher = kernels.Get<TKernel>();
            Launches++;
            launcher(stream, config, kernel);
            Recorder?.Add(Again(launcher, config, kernel), typeof(TKernel));
        }
    }

    Action Again<TKernel>(Launcher<TKernel> launcher, KernelConfig config, TKernel kernel) where TKernel : struct, IKernel => () =>
    {
        if (!capturing) Launches++;
        launcher(stream, config, kernel);
    };

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
        catch (CudaException exception) when (exception.Error != nameof(CudaError.CUDA_ERROR_OUT_OF_MEMORY))
        {
            throw new InvalidOperationException($"{Name} ({accelerator.Name}): the driver refused {bytes:N0} bytes, but not for lack of memory: {exception.Message} ({exception.Error}). An earlier kernel may have failed, after which the device is of no use to this process: start it again. If that does not help, run `quad doctor`.", exception);
        }
        catch (Exception exception) when (exception is AcceleratorException or OutOfMemoryException)
        {
            throw OutOfMemory(bytes, exception);
        }
    }

    /// <inheritdoc/>
    public override void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0)
    {
        if (source.IsEmpty) return;
        Recorder?.Refuse("it uploads values from the host; let them come in through memory that is filled before the step");
        UploadUnrecorded(source, target, offset);
    }

    internal void UploadUnrecorded(ReadOnlySpan<byte> source, Operand target, long offset)
    {
        var memory = (GpuMemory)target.Memory;
        offset += sizeof(float) * (long)target.Offset;
        lock (gate)
        {
            if (uploads is { } pinned)
            {
                try
                {
                    pinned.Upload(source, memory.Address + (nint)offset);
                    return;
                }
                catch (AcceleratorException)
                {
                    // There is no memory for another slot now. A plain copy waits, but needs no slot.
                }
            }

            memory.View.Cast<byte>().SubView(offset, source.Length).CopyFromCPU(stream, source);
        }
    }

    /// <summary>Memory of integers that are 0; it belongs to no scope.</summary>
    internal Operand Counters(int count)
    {
        using var memory = Tensor.Empty([count], this).Keep();
        var counters = memory.Write();
        UploadUnrecorded(new byte[sizeof(int) * count], counters, 0);
        return counters;
    }

    /// <inheritdoc/>
    public override void Download(Operand source, long offset, Span<byte> target)
    {
        if (target.IsEmpty) return;
        Recorder?.Refuse("it reads a value, for which the host must wait");
        lock (gate)
        {
            var bytes = ((GpuMemory)source.Memory).View.Cast<byte>().SubView(sizeof(float) * (long)source.Offset + offset, target.Length);
            bytes.CopyToCPU(stream, target);
        }
    }

    /// <inheritdoc/>
    public override Func<byte[]> BeginDownload(Operand source, long offset, int bytes)
    {
        if (downloads is null || bytes is 0 or > PinnedDownloads.Largest) return base.BeginDownload(source, offset, bytes);
        Recorder?.Refuse("it reads a value");
        lock (gate) return downloads.Begin(((GpuMemory)source.Memory).Address + sizeof(float) * source.Offset + (nint)offset, bytes);
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        Recorder?.Refuse("it waits for the device");
        lock (gate) stream.Synchronize();
    }

    /// <summary>Called when a block returns to the driver; no kernel may still use it.</summary>
    internal void Forget(GpuMemory block)
    {
        lock (gate)
        {
            stream.Synchronize();
            blocks.Remove(block);
        }
    }

    /// <summary>Fills a freed block with NaN, after everything that was launched before. It works on CUDA only, because ILGPU would wait for it elsewhere.</summary>
    internal void Poison(GpuMemory block)
    {
        if (accelerator is not CudaAccelerator) return;
        lock (gate) block.View.Cast<byte>().MemSet(stream, 0xFF);
    }

    internal void CopyOnDevice(ArrayView<float> source, ArrayView<float> target)
    {
        if (source.Length == 0) return;
        lock (gate)
        {
            source.CopyTo(stream, target);
            Recorder?.Add(() => source.CopyTo(stream, target), kernel: null);
        }
    }

    // ---- recorded steps

    /// <summary>The number of recorded steps launched as one graph so far.</summary>
    public long GraphLaunches { get; private set; }

    /// <summary>The reason why the driver refused the graph of the last recorded step, whose kernels are then launched one by one; null if it accepted the graph.</summary>
    public string? GraphRefusal { get; private set; }

    /// <summary>The graph of the last recorded step; null if it has none.</summary>
    public GraphForm? Graph { get; private set; }

    /// <inheritdoc/>
    public override Recording? Record() => new GpuRecording(this);

    internal CudaGraph? Capture(IReadOnlyList<RecordedLaunch> launches)
    {
        (Graph, GraphRefusal) = (null, null);
        if (stream is not CudaStream cuda) return null;
        lock (gate)
        {
            accelerator.Bind();
            capturing = true;
            try
            {
                return Capture(cuda, launches);
            }
            finally
            {
                capturing = false;
            }
        }
    }

    // A driver without programmatic edges may accept full edges, and a driver without edges may accept a chain.
    CudaGraph? Capture(CudaStream cuda, IReadOnlyList<RecordedLaunch> launches)
    {
        var order = LaunchGraph.Of([.. launches.Select(launch => launch.Operation)]);
        var refusals = new List<string>();
        foreach (var edges in (GraphEdges[])[GraphEdges.Programmatic, GraphEdges.Full, GraphEdges.Chain])
        {
            if (TryCapture(edges, out var refusal) is { } graph)
            {
                var form = edges == GraphEdges.Chain ? LaunchGraph.Chain(launches.Count) : order;
                Graph = new(form.Launches, form.Edges, form.LongestChain, edges, refusals.Count > 0 ? string.Join("; ", refusals) : null);
                return graph;
            }

            refusals.Add($"{edges} edges: {refusal}");
        }

        GraphRefusal = string.Join("; ", refusals);
        return null;

        CudaGraph? TryCapture(GraphEdges edges, out string? refusal)
        {
            if (edges != GraphEdges.Programmatic || kernels.WaitsOnDevice) return CudaGraph.TryCapture(cuda, launches, order, edges, out refusal);
            refusal = "kernels wait on the device from compute capability 9.0 on";
            return null;
        }
    }

    internal void Replay(IReadOnlyList<RecordedLaunch> launches, CudaGraph? graph)
    {
        lock (gate)
        {
            if (graph is null)
            {
                Issue(launches);
                return;
            }

            accelerator.Bind();
            graph.Launch();
            GraphLaunches++;
        }
    }

    internal Number Number(float value, Func<float>? later, ArrayView<float> standIn) =>
        later is not null && Recorder is { } recorder ? recorder.Float(value, later) : new Number(standIn, Gpu.Number.Constant, value);

    internal StreamNumber Stream(RandomStream drawn, ArrayView<float> standIn) =>
        Recorder is { } recorder && recorder.Advance(drawn) is { } advance ? recorder.Stream(drawn.Stream, advance) : new StreamNumber(standIn.SubView(0, 0).Cast<ulong>(), Gpu.Number.Constant, drawn.Stream);

    /// <summary>This thread's recording on this device, or null.</summary>
    internal GpuRecording? Recorder => Recording.Current is GpuRecording recording && ReferenceEquals(recording.Device, this) ? recording : null;

    static void Issue(IReadOnlyList<RecordedLaunch> launches)
    {
        foreach (var launch in launches) launch.Issue();
    }

    // ---- failures

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
