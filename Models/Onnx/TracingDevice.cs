using QuadEngine.Devices;

namespace QuadEngine.Models.Onnx;

/// <summary>
/// A device that computes nothing: when a network runs on it, it records the kernels that the network calls as ONNX nodes. So it exports
/// a network made of any modules. Weights are in real memory; a value that depends on the input is only a name.
/// </summary>
sealed class TracingDevice : Device
{
    public TracingDevice(Trace trace) : base("onnx") => Kernels = new TracingKernels(trace);

    public override Kernels Kernels { get; }

    /// <summary>Whether kernels are fused. They are not, because the trace needs each kernel alone.</summary>
    public override bool Fuses => false;

    protected override DeviceMemory AllocateMemory(long bytes) => new TracingMemory(bytes);

    public override void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0)
    {
        using var content = TracingMemory.View(target).Write();
        Cpu.Upload(source, content, offset);
    }

    public override void Download(Operand source, long offset, Span<byte> target)
    {
        using var content = TracingMemory.View(source).Read();
        Cpu.Download(content, offset, target);
    }

    public override void Synchronize()
    {
    }
}

/// <summary>The memory of a tensor. Constants are in the CPU's memory, which is allocated at the first write; a tensor that depends on the input never allocates any.</summary>
sealed class TracingMemory(long bytes) : DeviceMemory
{
    Tensor? content;

    /// <summary>The whole memory as a vector.</summary>
    public Tensor Content => content ??= Tensor.Zeros([(int)(bytes / sizeof(float))]).Keep();

    public override long Bytes => bytes;

    public override void Dispose() => content?.Dispose();

    /// <summary>Returns a constant tensor as a CPU tensor over the same memory.</summary>
    public static Tensor View(Operand x) => ((TracingMemory)x.Memory).Content.Slice(0, x.Offset, x.Length).Reshape(x.Shape);
}
