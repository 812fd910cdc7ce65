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

    public CpuMemory(long bytes)
    {
        Bytes = bytes;
        Pointer = (float*)NativeMemory.AlignedAlloc((nuint)bytes, Alignment);
    }

    public float* Pointer { get; private set; }

    public override long Bytes { get; }

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

    /// <summary>The first element; the caller keeps the handle alive.</summary>
    public static int* Pointer(this IntTensor tensor) => (int*)((CpuMemory)tensor.Storage.Memory).Pointer;
}
