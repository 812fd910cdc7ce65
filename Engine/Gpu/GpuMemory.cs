using ILGPU;
using ILGPU.Runtime;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

/// <summary>A block of a GPU's memory.</summary>
sealed class GpuMemory(GpuDevice device, MemoryBuffer1D<float, Stride1D.Dense> buffer) : DeviceMemory
{
    public override long Bytes { get; } = buffer.LengthInBytes;

    /// <summary>The driver's address of the block.</summary>
    public nint Address { get; } = buffer.NativePtr;

    public ArrayView<float> View { get; } = buffer.View;

    protected override void Poison() => device.Poison(this);

    public override void Dispose()
    {
        device.Forget(this);
        buffer.Dispose();
    }
}

/// <summary>Views of tensors for kernels.</summary>
public static class GpuViews
{
    /// <summary>The elements of an operand on a GPU, in row-major order.</summary>
    /// <param name="operand">An operand from <see cref="Tensor.Read"/> or <see cref="Tensor.Write"/>. Hold it until the kernel was launched.</param>
    public static ArrayView<float> View(this Operand operand) => ((GpuMemory)operand.Memory).View.SubView(operand.Offset, operand.Length);

    /// <summary>The integers of an operand on a GPU.</summary>
    /// <param name="operand">An operand of an <see cref="IntTensor"/>. Hold it until the kernel was launched.</param>
    public static ArrayView<int> Integers(this Operand operand) => operand.View().Cast<int>();
}
