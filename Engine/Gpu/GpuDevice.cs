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
    readonly PinnedUploads? uploads;
    readonly PinnedDownloads? downloads;
    bool capturing;

    /// <summary>The most groups that CUDA takes along y, and along z.</summary>
    internal const int MostGroupsYZ = 65535;

    // ILGPU's finalizers would free a block together with the last tensor that the collector drops, before the pool has it back.
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

    /// <summary>How factors are rounded in matrix products and convolutions: that of the device's name ("cuda:0/tf32"), else <see cref="Precision.Float32"/>.</summary>
    /// <remarks>A <see cref="RecordedStep"/> keeps the precision that it was recorded at. Without tensor cores (OpenCL, the simulator) the same rounding is done by other instructions, slowly: to see what a precision costs in accuracy.</remarks>
    /// <exception cref="NotSupportedException">The GPU has no tensor cores for it: those of compute capability 8.0 and later have.</exception>
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

    /// <summary>The one tile that products take where it holds what they need, for those who check or time tiles; null for the one that suits best.</summary>
    internal TileChoice? OnlyTile { get; set; }

    /// <summary>Groups of a large tile that are worth launching: three quarters of the multiprocessors of a large GPU. With fewer, small tiles are faster.</summary>
    internal int FewestGroups { get; set; } = 99;

    /// <summary>Products may be multiplied by warp groups (wgmma): by compute capability 9.0, by no later one, and in emulation.</summary>
    internal bool HasWarpGroups => accelerator is not CudaAccelerator { Architecture: var architecture, InstructionSet: var instructions } || architecture == CudaArchitecture.SM_90 && instructions >= CudaInstructionSet.ISA_80;

    /// <summary>Kernels launched so far: small networks are bound by launches.</summary>
    public long Launches { get; private set; }

    /// <summary>Different kernels compiled so far.</summary>
    public int CompiledKernels => kernels.Loaded;

    /// <summary>Runs a kernel on a grid of groups, after all that was launched before.</summary>
    /// <param name="kernel">Its fields are the arguments.</param>
    /// <param name="groups">Groups along x; nothing is launched for none.</param>
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
                    // There is no memory for another slot, for now: a plain copy waits, but needs none.
                }
            }

            memory.View.Cast<byte>().SubView(offset, source.Length).CopyFromCPU(stream, source);
        }
    }

    /// <summary>Memory of integers at 0, which belongs to no scope.</summary>
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

    /// <summary>A block goes back to the driver: no kernel may still use it.</summary>
    internal void Forget(GpuMemory block)
    {
        lock (gate)
        {
            stream.Synchronize();
            blocks.Remove(block);
        }
    }

    /// <summary>Fills a freed block with NaN, after all that was launched before. On CUDA only: elsewhere ILGPU would wait for it.</summary>
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

    /// <summary>Recorded steps launched as one graph so far.</summary>
    public long GraphLaunches { get; private set; }

    /// <summary>Why the driver took no graph of the last recorded step, whose kernels are launched one by one then; null where it took it.</summary>
    public string? GraphRefusal { get; private set; }

    /// <summary>The graph that the last recorded step became; null where it became none.</summary>
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

    // A driver that takes no programmatic edges may take full ones, and one that takes no edges a chain.
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

    /// <summary>What this thread records of this device, or null.</summary>
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
