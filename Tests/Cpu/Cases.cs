using QuadEngine.Devices;
using QuadEngine.Devices.Cpu;

namespace QuadEngine.Tests.Cpu;

/// <summary>Seeded shapes and values for kernels, and the comparison with their oracles.</summary>
static class Cases
{
    /// <summary>A number in low..high that depends on the case and on what it is asked for.</summary>
    public static int Pick(int seed, int question, int low, int high) => low + (int)(Philox.At((ulong)seed, (ulong)question, 77).X % (uint)(high - low + 1));

    /// <summary>Values in [-1, 1).</summary>
    public static float[] Values(int seed, int question, int count)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = 2 * Philox.ToUnit(Philox.At((ulong)seed, (ulong)question, (ulong)i).X) - 1;
        return values;
    }

    /// <summary>A tensor that begins in the middle of its storage, at an address that no vector is aligned to, NaN around it.</summary>
    public static Tensor Place(float[] values, Shape shape)
    {
        const int Before = 3, After = 5;
        var storage = Tensor.Full([Before + values.Length + After], float.NaN);
        var y = storage.View(Before, shape);
        y.Assign(values);
        return y;
    }

    /// <summary>An output that holds NaN until it is written, in the middle of its storage.</summary>
    public static Tensor Output(Shape shape) => Place([.. Enumerable.Repeat(float.NaN, shape.Elements)], shape);

    public static void AssertClose(double[] expected, Tensor actual, string what, double tolerance = 2e-5)
    {
        var got = actual.ToArray();
        for (var i = 0; i < expected.Length; i++)
            if (!(Math.Abs(got[i] - expected[i]) <= tolerance * (1 + Math.Abs(expected[i]))))
                Assert.Fail($"{what}: element {i} of {actual.Shape} is {got[i]:G9}, expected {expected[i]:G9}");

        var around = actual.View(0, [actual.Offset]);
        Assert.That(around.ToArray(), Is.All.NaN, $"{what}: wrote before its output");
        var end = actual.Offset + actual.Length;
        Assert.That(actual.View(end, [actual.Storage.Length - end]).ToArray(), Is.All.NaN, $"{what}: wrote behind its output");
    }

    /// <summary>Runs a kernel with 1, 2, 3 and 5 threads; its outputs must be equal bit for bit.</summary>
    public static void AssertSameBits(Func<float[][]> kernel, string what)
    {
        var before = ThreadTeam.Threads;
        try
        {
            ThreadTeam.Threads = 1;
            var expected = kernel();
            foreach (var threads in (int[])[2, 3, 5])
            {
                ThreadTeam.Threads = threads;
                var got = kernel();
                for (var i = 0; i < expected.Length; i++)
                    Assert.That(got[i].AsSpan().SequenceEqual(expected[i]), $"{what}: output {i} differs between 1 and {threads} threads");
            }
        }
        finally
        {
            ThreadTeam.Threads = before;
        }
    }

    /// <summary>Any convolution: odd sizes, strides, paddings, dilations, groups, depthwise, single elements.</summary>
    public static ConvGeometry Convolution(int seed)
    {
        // A third are those of residual networks, which kernels may treat in a way of their own.
        if (seed % 3 == 0)
        {
            var plain = new Window(3, 3, 1, Pick(seed, 3, 0, 2));
            return new ConvGeometry(Pick(seed, 14, 1, 5), Pick(seed, 15, 3, 20), Pick(seed, 16, 3, 20), 16 * Pick(seed, 17, 1, 4), 16 * Pick(seed, 18, 1, 6), plain);
        }

        // Some have a filter that no cache holds, and images so small that kernels go through it in another order.
        if (seed % 12 == 1)
            return new ConvGeometry(Pick(seed, 14, 1, 3), Pick(seed, 15, 4, 9), Pick(seed, 16, 4, 9), Pick(seed, 17, 128, 160), Pick(seed, 18, 250, 280), new Window(3, 3, Pick(seed, 3, 1, 2), 1, 1));

        int stride = Pick(seed, 1, 1, 3), dilation = Pick(seed, 2, 0, 3) == 0 ? 2 : 1, padding = Pick(seed, 3, 0, 3);
        var window = new Window(Pick(seed, 4, 1, 4), Pick(seed, 5, 1, 4), stride, padding, dilation);
        int height = Extent(seed, 6, window.Height), width = Extent(seed, 7, window.Width);
        var groups = Pick(seed, 8, 0, 2) == 0 ? Pick(seed, 9, 2, 5) : 1;
        int inputs = Pick(seed, 10, 0, 3) == 0 ? 1 : Pick(seed, 11, 1, 70 / groups), outputs = Pick(seed, 12, 0, 3) == 0 ? 1 : Pick(seed, 13, 1, 140 / groups);
        return new ConvGeometry(Pick(seed, 14, 1, 3), height, width, inputs * groups, outputs * groups, window, groups);

        int Extent(int seed, int question, int size) => Math.Max(dilation * (size - 1) + 1 - 2 * padding, 1) + Pick(seed, question, 0, 20);
    }

    public static MatMulGeometry Product(int seed)
    {
        int batch = Pick(seed, 1, 0, 2) == 0 ? Pick(seed, 2, 1, 4) : 1, m = Extent(3), n = Extent(4), k = Extent(5);
        return new MatMulGeometry(batch, m, n, k, Pick(seed, 6, 0, 1) == 1, Pick(seed, 7, 0, 1) == 1, Pick(seed, 8, 0, 3) == 0 ? 0 : m * k, Pick(seed, 9, 0, 3) == 0 ? 0 : k * n);

        int Extent(int question) => Pick(seed, 10 * question, 0, 4) switch { 0 => 1, 1 => Pick(seed, question, 100, 300), _ => Pick(seed, question, 1, 70) };
    }
}
