namespace QuadEngine.Devices.Cpu;

/// <summary>Main memory and the cores. Kernels have run when the call returns.</summary>
sealed class CpuDevice() : Device("cpu")
{
    public override Kernels Kernels { get; } = new CpuKernels();

    protected override DeviceMemory AllocateMemory(long bytes) => new CpuMemory(bytes);

    public override unsafe void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0) =>
        source.CopyTo(new Span<byte>((byte*)target.Pointer() + offset, source.Length));

    public override unsafe void Download(Operand source, long offset, Span<byte> target) =>
        new ReadOnlySpan<byte>((byte*)source.Pointer() + offset, target.Length).CopyTo(target);

    public override void Synchronize()
    {
    }
}

static unsafe class CpuPointers
{
    /// <summary>The first element, for as long as the operand is held.</summary>
    public static float* Pointer(this Operand operand) => ((CpuMemory)operand.Memory).Pointer + operand.Offset;

    /// <summary>The first integer.</summary>
    public static int* Integers(this Operand operand) => (int*)operand.Pointer();

    /// <summary>The first element, or null if there is no operand.</summary>
    public static float* PointerOrNull(this Operand? operand) => operand is null ? null : operand.Pointer();

    /// <summary>The first element; the caller must own a share.</summary>
    public static float* Pointer(this Storage storage) => ((CpuMemory)storage.Resolve()).Pointer;
}
