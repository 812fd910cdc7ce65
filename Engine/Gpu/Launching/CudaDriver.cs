using System.Runtime.InteropServices;
using ILGPU.Runtime.Cuda;

namespace QuadEngine.Gpu;

/// <summary>Functions of the CUDA driver that ILGPU does not offer: graphs, modules with the compiler's messages, page-locked memory that is kept, events.</summary>
/// <remarks>Every driver of the last ten years has them, except the functions for graphs. A missing function throws <see cref="EntryPointNotFoundException"/>.</remarks>
static class CudaDriver
{
    const string Library = "cuda";

    /// <summary>Only this thread's launches belong to a capture, and only its own calls can break it.</summary>
    public const int ThreadLocalCapture = 1;

    /// <summary>An event that only orders work and takes no time.</summary>
    public const uint WithoutTiming = 2;

    /// <summary>The next captured node depends on the given nodes, and not on those that it would depend on by itself.</summary>
    public const uint ReplaceDependencies = 1;

    public static void Check(int error) => CudaException.ThrowIfFailed((CudaError)error);

    /// <summary>The CUDA version of the driver, and the number of GPUs that it sees; null if it does not answer.</summary>
    public static (Version Version, int Devices)? Describe()
    {
        try
        {
            if (Initialize(0) != 0 || GetVersion(out var version) != 0) return null;
            return (new Version(version / 1000, version % 1000 / 10), CountDevices(out var devices) == 0 ? devices : 0);
        }
        catch (Exception exception) when (exception is EntryPointNotFoundException or DllNotFoundException)
        {
            return null;
        }
    }

    [DllImport(Library, EntryPoint = "cuInit")]
    static extern int Initialize(uint flags);

    [DllImport(Library, EntryPoint = "cuDriverGetVersion")]
    static extern int GetVersion(out int version);

    [DllImport(Library, EntryPoint = "cuDeviceGetCount")]
    static extern int CountDevices(out int count);

    /// <summary>Options are CUjit_option numbers; values are their values.</summary>
    [DllImport(Library, EntryPoint = "cuModuleLoadDataEx")]
    public static extern unsafe int LoadModule(out nint module, nint text, uint count, int* options, void** values);

    [DllImport(Library, EntryPoint = "cuModuleUnload")]
    public static extern int Unload(nint module);

    [DllImport(Library, EntryPoint = "cuModuleGetFunction", BestFitMapping = false, ThrowOnUnmappableChar = true)]
    public static extern int GetFunction(out nint function, nint module, [MarshalAs(UnmanagedType.LPStr)] string name);

    [DllImport(Library, EntryPoint = "cuStreamBeginCapture_v2")]
    public static extern int BeginCapture(nint stream, int mode);

    [DllImport(Library, EntryPoint = "cuStreamEndCapture")]
    public static extern int EndCapture(nint stream, out nint graph);

    /// <summary>Exists since CUDA 11.3.</summary>
    [DllImport(Library, EntryPoint = "cuStreamUpdateCaptureDependencies")]
    public static extern unsafe int SetCaptureDependencies(nint stream, nint* nodes, nuint count, uint flags);

    /// <summary>Exists since CUDA 12.3.</summary>
    [DllImport(Library, EntryPoint = "cuStreamUpdateCaptureDependencies_v2")]
    public static extern unsafe int SetCaptureDependencies(nint stream, nint* nodes, GraphEdge* edges, nuint count, uint flags);

    /// <summary>The state of a capture. The nodes are those on which the next node depends; after a launch this is only the launched node.</summary>
    [DllImport(Library, EntryPoint = "cuStreamGetCaptureInfo_v2")]
    public static extern unsafe int GetCapture(nint stream, out int status, out ulong id, out nint graph, out nint* nodes, out nuint count);

    [DllImport(Library, EntryPoint = "cuGraphInstantiateWithFlags")]
    public static extern int Instantiate(out nint executable, nint graph, ulong flags);

    [DllImport(Library, EntryPoint = "cuGraphLaunch")]
    public static extern int LaunchGraph(nint executable, nint stream);

    [DllImport(Library, EntryPoint = "cuGraphExecDestroy")]
    public static extern int DestroyExecutable(nint executable);

    [DllImport(Library, EntryPoint = "cuGraphDestroy")]
    public static extern int DestroyGraph(nint graph);

    [DllImport(Library, EntryPoint = "cuMemHostAlloc")]
    public static extern int AllocateHost(out nint memory, nuint bytes, uint flags);

    [DllImport(Library, EntryPoint = "cuMemFreeHost")]
    public static extern int FreeHost(nint memory);

    [DllImport(Library, EntryPoint = "cuMemcpyHtoDAsync_v2")]
    public static extern int CopyToDevice(nint target, nint source, nuint bytes, nint stream);

    [DllImport(Library, EntryPoint = "cuMemcpyDtoHAsync_v2")]
    public static extern int CopyToHost(nint target, nint source, nuint bytes, nint stream);

    [DllImport(Library, EntryPoint = "cuMemcpyDtoDAsync_v2")]
    public static extern int CopyOnDevice(nint target, nint source, nuint bytes, nint stream);

    [DllImport(Library, EntryPoint = "cuEventCreate")]
    public static extern int CreateEvent(out nint created, uint flags);

    [DllImport(Library, EntryPoint = "cuEventRecord")]
    public static extern int RecordEvent(nint recorded, nint stream);

    [DllImport(Library, EntryPoint = "cuEventSynchronize")]
    public static extern int WaitForEvent(nint awaited);

    [DllImport(Library, EntryPoint = "cuStreamWaitEvent")]
    public static extern int LetStreamWait(nint stream, nint awaited, uint flags);
}
