using ILGPU;
using QuadEngine.Devices;

namespace QuadEngine.Gpu;

sealed partial class GpuKernels
{
    public override void Uniform(Operand y, RandomStream stream, float low, float high) =>
        device.Launch(new UniformNumbers(y.View(), stream.Seed, device.Stream(stream, y.View()), low, high - low, Philox.Largest(low, high)), RandomBlocks(y));

    public override void Normal(Operand y, RandomStream stream, float mean, float deviation) =>
        device.Launch(new NormalNumbers(y.View(), stream.Seed, device.Stream(stream, y.View()), mean, deviation), RandomBlocks(y));

    public override void Dropout(Operand x, RandomStream stream, float p, Operand y) =>
        device.Launch(new DropoutMask(x.View(), stream.Seed, device.Stream(stream, y.View()), p, p < 1f ? 1f / (1f - p) : 0f, y.View()), RandomBlocks(y));

    // A thread takes the four numbers of one block of the generator.
    static int RandomBlocks(Operand y) => Groups(y.Length, 4 * IKernel.DefaultThreads);
}

/// <summary>y = low + range u, at most the largest float below low + range.</summary>
readonly struct UniformNumbers(ArrayView<float> y, ulong seed, StreamNumber stream, float low, float range, float largest) : IKernel
{
    public void Run()
    {
        var block = Grid.IdxX * IKernel.DefaultThreads + Group.IdxX;
        var (u0, u1, u2, u3) = Philox.At(seed, stream.Value, (ulong)(uint)block);
        Set(4 * block, u0);
        Set(4 * block + 1, u1);
        Set(4 * block + 2, u2);
        Set(4 * block + 3, u3);
    }

    void Set(int i, uint bits)
    {
        if (i < y.Length) y[i] = MathF.Min(low + range * Philox.ToUnit(bits), largest);
    }
}

/// <summary>Box-Muller: r = sqrt(-2 ln(1 - u0)), (r cos 2 pi u1, r sin 2 pi u1).</summary>
readonly struct NormalNumbers(ArrayView<float> y, ulong seed, StreamNumber stream, float mean, float deviation) : IKernel
{
    public void Run()
    {
        var block = Grid.IdxX * IKernel.DefaultThreads + Group.IdxX;
        var (u0, u1, u2, u3) = Philox.At(seed, stream.Value, (ulong)(uint)block);
        SetPair(4 * block, u0, u1);
        SetPair(4 * block + 2, u2, u3);
    }

    void SetPair(int i, uint first, uint second)
    {
        float radius = deviation * MathF.Sqrt(-2f * MathF.Log(1f - Philox.ToUnit(first))), angle = 2f * MathF.PI * Philox.ToUnit(second);
        if (i < y.Length) y[i] = mean + radius * MathF.Cos(angle);
        if (i + 1 < y.Length) y[i + 1] = mean + radius * MathF.Sin(angle);
    }
}

/// <summary>y = x / (1 - p) where u >= p, otherwise 0.</summary>
readonly struct DropoutMask(ArrayView<float> x, ulong seed, StreamNumber stream, float p, float scale, ArrayView<float> y) : IKernel
{
    public void Run()
    {
        var block = Grid.IdxX * IKernel.DefaultThreads + Group.IdxX;
        var (u0, u1, u2, u3) = Philox.At(seed, stream.Value, (ulong)(uint)block);
        Set(4 * block, u0);
        Set(4 * block + 1, u1);
        Set(4 * block + 2, u2);
        Set(4 * block + 3, u3);
    }

    void Set(int i, uint bits)
    {
        if (i < y.Length) y[i] = Philox.ToUnit(bits) >= p ? x[i] * scale : 0f;
    }
}
