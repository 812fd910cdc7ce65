using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Benchmarks.Profile;

/// <summary>The CPU with a stopwatch at every kernel.</summary>
sealed class ProfiledDevice() : Device("cpu (profiled)")
{
    public KernelLog Log { get; } = new();

    public override Kernels Kernels => field ??= new ProfiledKernels(Cpu.Kernels, Log);

    protected override DeviceMemory AllocateMemory(long bytes) => new CpuMemory(bytes);

    public override void Upload(ReadOnlySpan<byte> source, Operand target, long offset = 0) => Cpu.Upload(source, target, offset);

    public override void Download(Operand source, long offset, Span<byte> target) => Cpu.Download(source, offset, target);

    public override void Synchronize() => Cpu.Synchronize();
}
