using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Benchmarks;

/// <summary>The measured limits of this machine: the best that a kernel can reach, on the number of threads that kernels use.</summary>
/// <param name="FlopsPerSecond">Peak of fused multiply-adds from registers; each counts as two.</param>
/// <param name="BytesPerSecond">Bytes per second, read and written, of passes over arrays that are not in a cache.</param>
public sealed record Machine(double FlopsPerSecond, double BytesPerSecond)
{
    /// <summary>Measures both limits in about a second.</summary>
    public static Machine Measure() => new(MeasureFlops(), MeasureBytes());

    /// <summary>The shortest time for the given operations and bytes.</summary>
    public TimeSpan Floor(double flops, double bytes) => TimeSpan.FromSeconds(Math.Max(flops / FlopsPerSecond, bytes / BytesPerSecond));

    /// <summary>Processor, threads, widest vectors, .NET version.</summary>
    public static string Describe() =>
        $"{ProcessorName()}, {Device.CpuThreads} {(Device.CpuThreads == 1 ? "thread" : "threads")}, {(Vector512.IsHardwareAccelerated ? "AVX-512" : Avx2.IsSupported ? "AVX2" : "128-bit vectors")}, " +
        $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}";

    /// <inheritdoc/>
    public override string ToString() => $"FMA peak {FlopsPerSecond / 1e9:F0} GFLOP/s, memory {BytesPerSecond / 1e9:F1} GB/s";

    static string ProcessorName() => File.Exists("/proc/cpuinfo") && File.ReadLines("/proc/cpuinfo").FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal)) is { } line
        ? line[(line.IndexOf(':') + 1)..].Trim()
        : RuntimeInformation.ProcessArchitecture.ToString();

    static double MeasureFlops() =>
        Vector512.IsHardwareAccelerated ? Best<Wide512, Vector512<float>>() : Vector256.IsHardwareAccelerated ? Best<Wide256, Vector256<float>>() : Best<Wide128, Vector128<float>>();

    // Takes the best of several runs, because the peak is the speed of cores that nothing else uses.
    static double Best<TWidth, TVector>() where TWidth : IWidth<TVector> where TVector : struct
    {
        const int Rounds = 200_000;
        var threads = Device.CpuThreads;
        var results = new float[threads * 64];
        var best = 0.0;
        for (var trial = 0; trial < 300; trial++)
        {
            var clock = Stopwatch.GetTimestamp();
            ThreadTeam.Run(threads, thread => results[thread * 64] = Chains<TWidth, TVector>(Rounds));
            best = Math.Max(best, 2.0 * 8 * Unsafe.SizeOf<TVector>() / sizeof(float) * Rounds * threads / Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }

        return best;
    }

    // Eight independent chains hide the latency of the multiply-add on every known processor (latency 4 cycles, 2 per cycle).
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static float Chains<TWidth, TVector>(int rounds) where TWidth : IWidth<TVector> where TVector : struct
    {
        TVector m = TWidth.Of(0.999f), s = TWidth.Of(0.001f);
        TVector a = s, b = s, c = s, d = s, e = s, f = s, g = s, h = s;
        for (var i = 0; i < rounds; i++)
        {
            a = TWidth.Fma(a, m, s);
            b = TWidth.Fma(b, m, s);
            c = TWidth.Fma(c, m, s);
            d = TWidth.Fma(d, m, s);
            e = TWidth.Fma(e, m, s);
            f = TWidth.Fma(f, m, s);
            g = TWidth.Fma(g, m, s);
            h = TWidth.Fma(h, m, s);
        }

        return TWidth.First(TWidth.Fma(TWidth.Fma(a, b, c), TWidth.Fma(d, e, f), TWidth.Fma(g, h, m)));
    }

    // Passes y = x / 2 over eight pairs of 8 MB, one pair after the other. 8 MB is the size of an activation of ResNet-20 at batch 128. Before a
    // pair comes again, 128 MB have gone through the caches.
    static double MeasureBytes()
    {
        const int Pairs = 8, Length = 2 << 20, Chunk = 1 << 15;
        var x = Enumerable.Range(0, Pairs).Select(_ => Tensor.Ones([Length])).ToArray();
        var y = Enumerable.Range(0, Pairs).Select(_ => Tensor.Ones([Length])).ToArray();
        var best = 0.0;
        for (var trial = 0; trial < 8; trial++)
        {
            var clock = Stopwatch.GetTimestamp();
            for (var pair = 0; pair < Pairs; pair++)
            {
                using Operand from = x[pair].Read(), to = y[pair].Write();
                ThreadTeam.Run(Length / Chunk, chunk => Halve(from, to, chunk * Chunk, Chunk));
            }

            best = Math.Max(best, 2.0 * Pairs * Length * sizeof(float) / Stopwatch.GetElapsedTime(clock).TotalSeconds);
        }

        foreach (var tensor in x.Concat(y)) tensor.Dispose();
        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    static unsafe void Halve(Operand x, Operand y, int start, int count)
    {
        float* from = x.Pointer() + start, to = y.Pointer() + start;
        for (var i = 0; i < count; i += Vector256<float>.Count) Vector256.Store(Vector256.Load(from + i) * 0.5f, to + i);
    }

    interface IWidth<TVector>
    {
        static abstract TVector Of(float value);

        static abstract TVector Fma(TVector x, TVector y, TVector z);

        static abstract float First(TVector x);
    }

    readonly struct Wide512 : IWidth<Vector512<float>>
    {
        public static Vector512<float> Of(float value) => Vector512.Create(value);

        public static Vector512<float> Fma(Vector512<float> x, Vector512<float> y, Vector512<float> z) => Vector512.FusedMultiplyAdd(x, y, z);

        public static float First(Vector512<float> x) => x[0];
    }

    readonly struct Wide256 : IWidth<Vector256<float>>
    {
        public static Vector256<float> Of(float value) => Vector256.Create(value);

        public static Vector256<float> Fma(Vector256<float> x, Vector256<float> y, Vector256<float> z) => Vector256.FusedMultiplyAdd(x, y, z);

        public static float First(Vector256<float> x) => x[0];
    }

    readonly struct Wide128 : IWidth<Vector128<float>>
    {
        public static Vector128<float> Of(float value) => Vector128.Create(value);

        public static Vector128<float> Fma(Vector128<float> x, Vector128<float> y, Vector128<float> z) => Vector128.FusedMultiplyAdd(x, y, z);

        public static float First(Vector128<float> x) => x[0];
    }
}
