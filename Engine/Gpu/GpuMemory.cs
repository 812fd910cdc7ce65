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

    protected override void Poison() => device.Poison(this);

    public override void Dispose()
    {
        device.Forget(this);
        buffer.Dispose();
    }
}

/// <summary>How kernels see tensors.</summary>
public static class GpuViews
{
    /// <summary>The elements of an operand on a GPU, in row-major order.</summary>
    /// <param name="operand">From <see cref="Tensor.Read"/> or <see cref="Tensor.Write"/>: hold it until the kernel was launched.</param>
    public static ArrayView<float> View(this Operand operand) => ((GpuMemory)operand.Memory).View.SubView(operand.Offset, operand.Length);

    /// <summary>The integers of an operand on a GPU.</summary>
    /// <param name="operand">Of an <see cref="IntTensor"/>: hold it until the kernel was launched.</param>
    public static ArrayView<int> Integers(this Operand operand) => operand.View().Cast<int>();
}
