using CsCheck;
using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Cpu;

/// <summary>The common parts of kernel tests: random tensors at odd addresses, and the laws that every kernel obeys.</summary>
static class KernelCase
{
    public static Backend CpuBackend => Device.Cpu.Backend;

    /// <summary>Checks a law on random samples, one at a time, because kernels use all cores themselves.</summary>
    public static void ForAll<T>(this Gen<T> gen, Action<T> law, long iterations = 60) => gen.Sample(law, iter: iterations, threads: 1);

    /// <inheritdoc cref="ForAll{T}"/>
    public static void ForAll<T1, T2>(this Gen<(T1, T2)> gen, Action<T1, T2> law, long iterations = 60) => gen.ForAll(sample => law(sample.Item1, sample.Item2), iterations);

    /// <inheritdoc cref="ForAll{T}"/>
    public static void ForAll<T1, T2, T3>(this Gen<(T1, T2, T3)> gen, Action<T1, T2, T3> law, long iterations = 60) =>
        gen.ForAll(sample => law(sample.Item1, sample.Item2, sample.Item3), iterations);

    /// <summary>Returns numbers of about size 1 and of both signs, from a seed.</summary>
    public static float[] Values(int length, int seed, float mean = 0f, float deviation = 1f)
    {
        var values = new float[length];
        var state = (ulong)seed * 0x9E3779B97F4A7C15 + 1;
        for (var i = 0; i < length; i++)
        {
            var sum = 0f;
            for (var k = 0; k < 4; k++)
            {
                state = state * 6364136223846793005 + 1442695040888963407;
                sum += (state >> 40) * (1f / (1 << 24)) - 0.5f;
            }

            values[i] = mean + deviation * 1.7320508f * sum;
        }

        return values;
    }

    /// <summary>A view that begins one element into its storage, so that no vector load is aligned.</summary>
    public static Tensor Unaligned(float[] values, Shape shape)
    {
        using var storage = Tensor.FromArray([float.NaN, .. values], [values.Length + 1]);
        return storage.View(1, shape);
    }

    /// <summary>Returns a tensor for a result. It is full of NaN, so that a missing element is found.</summary>
    public static Tensor Result(Shape shape) => Unaligned([.. Enumerable.Repeat(float.NaN, shape.Elements)], shape);

    /// <summary>Checks that the result has the same bits with 1, 2, 3 and 5 threads, and returns the result.</summary>
    public static float[] SameOnAnyThreads(Func<Tensor> kernel)
    {
        var threads = ThreadTeam.Threads;
        try
        {
            float[]? first = null;
            foreach (var count in (int[])[1, 2, 3, 5])
            {
                ThreadTeam.Threads = count;
                using var result = kernel();
                var values = result.ToArray();
                first ??= values;
                Assert.That(Bits(values), Is.EqualTo(Bits(first)), $"{count} threads");
            }

            return first!;
        }
        finally
        {
            ThreadTeam.Threads = threads;
        }
    }

    public static int[] Bits(float[] values) => Array.ConvertAll(values, BitConverter.SingleToInt32Bits);

    /// <summary>Checks that each element is within the tolerance of the double-precision element, relative to its size or to the given scale.</summary>
    public static void AssertClose(float[] got, double[] expected, double tolerance = 1e-6, double scale = 1)
    {
        Assert.That(got, Has.Length.EqualTo(expected.Length));
        for (var i = 0; i < got.Length; i++)
        {
            if (double.IsNaN(expected[i]) ? float.IsNaN(got[i]) : (float)expected[i] == got[i]) continue;
            var error = Math.Abs(got[i] - expected[i]) / Math.Max(scale, Math.Abs(expected[i]));
            if (!(error <= tolerance)) Assert.Fail($"element {i}: got {got[i]:R}, expected {expected[i]:R}, relative error {error:E1} > {tolerance:E1}");
        }
    }

    /// <summary>Draws the extents of a matrix: mostly small and odd, sometimes of several chunks.</summary>
    public static Gen<(int Rows, int Channels)> Matrices { get; } = Gen.Frequency(
        (12, Gen.Select(Gen.Int[1, 40], Gen.Int[1, 40])),
        (1, Gen.Select(Gen.Int[2000, 5000], Gen.OneOf(3, 8, 16, 17))),
        (1, Gen.Select(Gen.Int[1, 50], Gen.Int[900, 3000])));

    public static Gen<int> Seeds { get; } = Gen.Int[0, 1 << 20];
}
