using ILGPU;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>The limits of a device, measured: what a kernel can reach at best.</summary>
/// <param name="FlopsPerSecond">Multiply-adds from registers, each counted as two.</param>
/// <param name="BytesPerSecond">Bytes read and written by a copy that fits no cache.</param>
sealed record GpuLimits(double FlopsPerSecond, double BytesPerSecond)
{
    public static GpuLimits Measure(GpuDevice device, int elements)
    {
        using Tensor x = Tensor.Zeros([elements], device), y = Tensor.Zeros([elements], device);
        var copy = Clock.Seconds(device, () => device.Backend.AddScaled(1f, x, 0f, y));

        const int Groups = 2048;
        using var sink = Tensor.Zeros([Groups * IKernel.DefaultThreads], device);
        using var sums = sink.Write();
        var rounds = elements >= 1 << 26 ? 4096 : 64;
        var add = Clock.Seconds(device, () => device.Launch(new MultiplyAdds(sums.View(), rounds, 0.999f), Groups));
        return new(2.0 * MultiplyAdds.Chains * rounds * Groups * IKernel.DefaultThreads / add, 8.0 * elements / copy);
    }

    public override string ToString() => $"FMA peak {FlopsPerSecond / 1e9:N0} GFLOP/s, copy {BytesPerSecond / 1e9:N0} GB/s";
}

/// <summary>Eight chains of dependent multiply-adds a thread, in registers.</summary>
readonly struct MultiplyAdds(ArrayView<float> sink, int rounds, float factor) : IKernel
{
    public const int Chains = 8;

    public void Run()
    {
        float a = Group.IdxX, b = a + 1f, c = a + 2f, d = a + 3f, e = a + 4f, f = a + 5f, g = a + 6f, h = a + 7f;
        for (var i = 0; i < rounds; i++)
        {
            a = a * factor + 1f;
            b = b * factor + 1f;
            c = c * factor + 1f;
            d = d * factor + 1f;
            e = e * factor + 1f;
            f = f * factor + 1f;
            g = g * factor + 1f;
            h = h * factor + 1f;
        }

        sink[Grid.IdxX * IKernel.DefaultThreads + Group.IdxX] = a + b + c + d + e + f + g + h;
    }
}
