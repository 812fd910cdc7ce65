using ILGPU;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu.Parts;

/// <summary>Measures the limits of the device: the best that a kernel can reach.</summary>
static class LimitsPart
{
    public const string Part = "limits", Flops = "multiply-adds from registers", Copy = "copy that fits no cache", PerSecond = "a second";

    public static IEnumerable<WorkItem> Items(GpuBench bench) =>
    [
        WorkItem.Of(Part, Flops, PerSecond, () => MultiplyAddsASecond(bench.At(Precision.Float32), bench.IsCard ? 4096 : 64)),
        WorkItem.Of(Part, Copy, PerSecond, () => BytesASecond(bench.At(Precision.Float32), bench.IsCard ? 1 << 27 : 1 << 20)),
    ];

    /// <summary>Floating-point operations per second; a multiply-add counts as two.</summary>
    public static double MultiplyAddsASecond(GpuDevice device, int rounds)
    {
        const int Groups = 2048;
        using var sink = Tensor.Zeros([Groups * IKernel.DefaultThreads], device);
        using var sums = sink.Write();
        return 2.0 * MultiplyAdds.Chains * rounds * Groups * IKernel.DefaultThreads / Clock.Seconds(device, () => device.Launch(new MultiplyAdds(sums.View(), rounds, 0.999f), Groups));
    }

    /// <summary>Bytes read and written per second.</summary>
    public static double BytesASecond(GpuDevice device, int elements)
    {
        using Tensor x = Tensor.Zeros([elements], device), y = Tensor.Zeros([elements], device);
        return 8.0 * elements / Clock.Seconds(device, () => device.Backend.AddScaled(1f, x, 0f, y));
    }
}

/// <summary>Eight chains of dependent multiply-adds per thread, in registers.</summary>
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
