using ILGPU;
using ILGPU.Runtime;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>A block of a GPU's memory.</summary>
sealed class GpuMemory(GpuDevice device, MemoryBuffer1D<float, Stride1D.Dense> buffer) : DeviceMemory
{
    public override long Bytes { get; } = buffer.LengthInBytes;

    /// <summary>Where it starts, as the driver sees it.</summary>
    public nint Address { get; } = buffer.NativePtr;

    public ArrayView<float> View { get; } = buffer.View;

    public override void Dispose()
    {
        device.Forget(this);
        buffer.Dispose();
    }
}

/// <summary>How kernels see tensors.</summary>
public static class GpuViews
{
    /// <summary>The elements of a tensor on a GPU, in row-major order; the caller keeps the handle alive until the kernel was launched.</summary>
    public static ArrayView<float> View(this Tensor tensor) => ((GpuMemory)tensor.Storage.Memory).View.SubView(tensor.Offset, tensor.Length);

    /// <summary>The elements of a tensor of integers on a GPU.</summary>
    public static ArrayView<int> View(this IntTensor tensor) => ((GpuMemory)tensor.Storage.Memory).View.SubView(0, tensor.Length).Cast<int>();
}
