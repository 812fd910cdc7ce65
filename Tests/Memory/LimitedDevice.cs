using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Memory;

/// <summary>The CPU under another name, with its own pool and a limit on its memory: <see cref="Left"/> bytes for each block.</summary>
public sealed class LimitedDevice() : Device("limited")
{
    public long Left { get; set; } = long.MaxValue;

    public override Kernels Kernels => Cpu.Kernels;

    protected override DeviceMemory AllocateMemory(long bytes) => bytes <= Left ? new CpuMemory(bytes) : throw new OutOfMemoryException($"{bytes} bytes requested, {Left} left");

    public override void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0) => Cpu.Upload(source, target, offset);

    public override void Download(Operand source, long offset, Span<byte> target) => Cpu.Download(source, offset, target);

    public override void Synchronize()
    {
    }
}
