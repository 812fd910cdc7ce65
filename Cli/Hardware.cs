using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace QuadEngine.Cli;

/// <summary>Describes the hardware of this machine in words.</summary>
static class Hardware
{
    /// <summary>The widest vectors that the kernels use.</summary>
    public static string Simd =>
        Vector512.IsHardwareAccelerated ? "512-bit SIMD"
        : Vector256.IsHardwareAccelerated ? "256-bit SIMD"
        : Vector128.IsHardwareAccelerated ? "128-bit SIMD"
        : "no SIMD";

    /// <summary>"cpu, 2 threads, 512-bit SIMD", or the device's name.</summary>
    public static string Describe(Device device) =>
        ReferenceEquals(device, Device.Cpu) ? $"cpu, {Device.CpuThreads} {(Device.CpuThreads == 1 ? "thread" : "threads")}, {Simd}" : device.Name;

    /// <summary>The processor's name, or its architecture if the system does not tell the name.</summary>
    public static string Processor
    {
        get
        {
            const string systemFile = "/proc/cpuinfo";
            var named = File.Exists(systemFile) ? File.ReadLines(systemFile).FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
            return named?.Split(':', 2)[1].Trim() ?? RuntimeInformation.ProcessArchitecture.ToString();
        }
    }

    /// <summary>The number of bytes that this process may use.</summary>
    public static long Memory => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>"1.2 GB".</summary>
    public static string Bytes(long bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes / (double)(1L << 30):0.0} GB",
        >= 1L << 20 => $"{bytes / (double)(1L << 20):0.0} MB",
        _ => $"{bytes / 1024.0:0.0} KB",
    };

    /// <summary>"1:05", "1:02:05".</summary>
    public static string Time(TimeSpan time) => time.TotalHours >= 1 ? $"{(int)time.TotalHours}:{time:mm\\:ss}" : $"{time:m\\:ss}";

    /// <summary>"40.8M".</summary>
    public static string Count(long count) => count >= 1_000_000 ? $"{count / 1e6:0.0}M" : $"{count:N0}";
}
