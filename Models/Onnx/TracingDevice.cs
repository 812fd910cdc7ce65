using QuadEngine.Devices;

namespace QuadEngine.Models.Onnx;

/// <summary>
/// A device that computes nothing: running a network on it writes down the kernels that were asked for, as ONNX nodes. What a network
/// does is therefore exported whatever modules it is made of. Weights are real memory here; all that depends on the input is a name.
/// </summary>
sealed class TracingDevice : Device
{
    public TracingDevice(Trace trace) : base("onnx") => Kernels = new TracingKernels(trace);

    public override Kernels Kernels { get; }

    /// <summary>Each kernel is to be seen on its own.</summary>
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

/// <summary>Constants are in the CPU's memory, which is taken when the first is written; the memory of what depends on the input stays untaken.</summary>
sealed class TracingMemory(long bytes) : DeviceMemory
{
    Tensor? content;

    /// <summary>All of it, as a vector.</summary>
    public Tensor Content => content ??= Tensor.Zeros([(int)(bytes / sizeof(float))]).Keep();

    public override long Bytes => bytes;

    public override void Dispose() => content?.Dispose();

    /// <summary>A constant tensor as the CPU sees it: the same memory.</summary>
    public static Tensor View(Operand x) => ((TracingMemory)x.Memory).Content.Slice(0, x.Offset, x.Length).Reshape(x.Shape);
}
