using System.Diagnostics;
using QuadEngine.Devices;

namespace QuadEngine.Benchmarks.Profile;

/// <summary>The time and the necessary work of the kernels that ran, by kernel and shape.</summary>
sealed class KernelLog
{
    readonly Dictionary<(string Kernel, string Shape), KernelCost> costs = [];

    public IReadOnlyDictionary<(string Kernel, string Shape), KernelCost> Costs => costs;

    public void Clear() => costs.Clear();

    /// <summary>Times a kernel until the result is disposed.</summary>
    /// <param name="kernel">The name of the kernel.</param>
    /// <param name="shape">The shape of its operands, as the table shows it.</param>
    /// <param name="flops">Floating-point operations; a multiply-add counts as two.</param>
    /// <param name="operands">Everything that must be read or written once; null if absent.</param>
    public Running Time(string kernel, string shape, double flops, params ReadOnlySpan<Operand?> operands)
    {
        var bytes = 0.0;
        foreach (var operand in operands)
            if (operand is not null) bytes += sizeof(float) * (double)operand.Length;

        return new Running(this, (kernel, shape), flops, bytes, Stopwatch.GetTimestamp());
    }

    public readonly struct Running(KernelLog log, (string Kernel, string Shape) key, double flops, double bytes, long start) : IDisposable
    {
        public void Dispose() => log.costs[key] = log.costs.GetValueOrDefault(key) + new KernelCost(1, Stopwatch.GetElapsedTime(start), flops, bytes);
    }
}

/// <summary>The calls of a kernel, their time, and the operations and bytes that they cannot avoid.</summary>
readonly record struct KernelCost(int Calls, TimeSpan Time, double Flops, double Bytes)
{
    public static KernelCost operator +(KernelCost a, KernelCost b) => new(a.Calls + b.Calls, a.Time + b.Time, a.Flops + b.Flops, a.Bytes + b.Bytes);
}
