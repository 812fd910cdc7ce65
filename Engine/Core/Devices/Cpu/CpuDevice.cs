using System.Runtime.InteropServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>Main memory and the cores. Kernels have run when the call returns.</summary>
sealed class CpuDevice() : Device("cpu")
{
    public override Backend Backend { get; } = new CpuBackend();

    protected override DeviceMemory AllocateMemory(long bytes) => new CpuMemory(bytes);

    public override unsafe void Upload(ReadOnlySpan<byte> source, DeviceMemory target, long offset) =>
        source.CopyTo(new Span<byte>((byte*)((CpuMemory)target).Pointer + offset, source.Length));

    public override unsafe void Download(DeviceMemory source, long offset, Span<byte> target) =>
        new ReadOnlySpan<byte>((byte*)((CpuMemory)source).Pointer + offset, target.Length).CopyTo(target);

    public override void Synchronize()
    {
    }
}

/// <summary>A block outside the garbage collected heap, aligned for the widest vectors and to cache lines.</summary>
sealed unsafe class CpuMemory : DeviceMemory
{
    const int Alignment = 64;

    // Linux gives memory in pages of 4 KB unless asked for large ones. With those a pass over an activation seldom waits for an
    // address to be translated, and new memory costs a page fault for each 2 MB.
    const int LargePage = 2 << 20;
    const int AdviseLargePages = 14;

    public CpuMemory(long bytes)
    {
        Bytes = bytes;
        var isLarge = OperatingSystem.IsLinux() && bytes >= 2 * LargePage;
        Pointer = (float*)NativeMemory.AlignedAlloc((nuint)bytes, isLarge ? (nuint)LargePage : Alignment);

        // A system that does not know the advice refuses it, and nothing is lost.
        if (isLarge) _ = Advise(Pointer, (nuint)bytes, AdviseLargePages);
    }

    public float* Pointer { get; private set; }

    public override long Bytes { get; }

    [DllImport("libc", EntryPoint = "madvise"), DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    static extern int Advise(void* start, nuint bytes, int advice);

    public override void Dispose()
    {
        NativeMemory.AlignedFree(Pointer);
        Pointer = null;
    }
}

static unsafe class CpuPointers
{
    /// <summary>The first element; the caller keeps the handle alive.</summary>
    public static float* Pointer(this Tensor tensor) => ((CpuMemory)tensor.Storage.Memory).Pointer + tensor.Offset;

    /// <summary>The first element; the caller holds a share.</summary>
    public static float* Pointer(this Storage storage) => ((CpuMemory)storage.Memory).Pointer;

    /// <summary>The first element; the caller keeps the handle alive.</summary>
    public static int* Pointer(this IntTensor tensor) => (int*)((CpuMemory)tensor.Storage.Memory).Pointer;
}
