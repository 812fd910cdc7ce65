using System.Diagnostics;
using System.Globalization;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>
/// Checks a GPU against the CPU, then times it, and prints one table: the pages of docs/gpu.md. Runs on any device of the Gpu package;
/// on a CPU (OpenCL, simulator) with small work, to see that the program itself works.
/// </summary>
static class GpuReport
{
    public static int Run(string[] args)
    {
        var options = new Arguments(args, "device", "size", "batch");
        GpuDevices.Register();
        var name = options.Text("device") is { Length: > 0 } given ? given : "cuda:0";
        if (Device.Get(name) is not GpuDevice device)
        {
            Console.Error.WriteLine($"gpu: {name} is no GPU device; give one of those that `quad doctor` shows, e.g. --device opencl:0");
            return 2;
        }

        var real = name.StartsWith("cuda", StringComparison.Ordinal);
        int size = options.Number("size", real ? 4096 : 256), batch = options.Number("batch", real ? 128 : 4);
        foreach (var description in GpuDiagnostics.Describe().Where(description => description.Name == device.Name)) Console.WriteLine(description);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd}, {Environment.OSVersion}, .NET {Environment.Version}"));

        var failures = Check(device, size);
        var limits = GpuLimits.Measure(device, real ? 1 << 27 : 1 << 20);
        Console.WriteLine($"\n{limits}\n\n{"work",-44} {"time us",11} {"rate",16} {"of limit",9}");
        foreach (var row in Products(device, size, batch).Concat(Passes(device, real ? 128 : 2))) row.Print(limits);
        Steps(device, batch);
        return failures == 0 ? 0 : 1;
    }

    /// <summary>Relative errors of the main kernels against the CPU; prints them and gives the number beyond 1e-4.</summary>
    static int Check(GpuDevice device, int size)
    {
        var failures = 0;
        Console.WriteLine($"\n{"check against the CPU",-44} {"error",11}");
        Compare("matrix product", on =>
        {
            using Tensor a = Random(on, [size / 2, 300], 1), b = Random(on, [300, 200], 2);
            return MatMul.Apply(a, b);
        });
        foreach (var channels in (int[])[16, 32, 64])
        {
            var g = new ConvGeometry(2, 16, 16, channels, channels, new Window(3, 3, 1, 1));
            Shape image = [2, 16, 16, channels], filter = [3, 3, channels, channels];
            Compare($"convolution, {channels} channels", on => Output(image, on, y => { using Tensor x = Random(on, image, 3), w = Random(on, filter, 4); on.Backend.Conv2d(x, w, g, default, y); }));
            Compare($"its input gradient, {channels} channels", on => Output(image, on, dx => { using Tensor dy = Random(on, image, 5), w = Random(on, filter, 6); on.Backend.Conv2dInputGradient(dy, w, g, dx); }));
            Compare($"its filter gradient, {channels} channels", on => Output(filter, on, dw => { using Tensor x = Random(on, image, 7), dy = Random(on, image, 8); on.Backend.Conv2dFilterGradient(x, dy, g, dw); }));
        }

        return failures;

        void Compare(string what, Func<Device, Tensor> run)
        {
            using Tensor expected = run(Device.Cpu), got = run(device);
            float[] e = expected.ToArray(), v = got.ToArray();
            var scale = e.Max(Math.Abs);
            var error = e.Zip(v, (a, b) => Math.Abs(a - b)).Max() / scale;
            if (!(error <= 1e-4)) failures++;
            Console.WriteLine($"{what,-44} {error,11:E1}{(error <= 1e-4 ? "" : "  WRONG")}");
        }
    }

    static IEnumerable<GpuRow> Products(GpuDevice device, int size, int batch)
    {
        using (Tensor a = Random(device, [size, size], 1), b = Random(device, [size, size], 2), y = Tensor.Empty([size, size], device))
        {
            var g = new MatMulGeometry(1, size, size, size, false, false, 0, 0);
            yield return GpuRow.Compute(device, $"matrix product {size}^3", 2 * g.MultiplyAdds, () => device.Backend.MatMul(a, b, g, default, y));
        }

        foreach (var (channels, side) in ((int, int)[])[(16, 32), (32, 16), (64, 8)])
        {
            var g = new ConvGeometry(batch, side, side, channels, channels, new Window(3, 3, 1, 1));
            using Tensor x = Random(device, [batch, side, side, channels], 3), w = Random(device, [3, 3, channels, channels], 4), y = Tensor.Like(x), dw = Tensor.Like(w);
            using Tensor mean = Tensor.Zeros([channels], device), variance = Tensor.Zeros([channels], device);
            var layout = new NeuronLayout(channels, 3);
            using var lambda = Random(device, [layout.Coefficients], 5);
            var quadratic = new Epilogue { Quadratic = new QuadraticTerm(lambda, layout, true), Statistics = new ChannelStatistics(mean, variance) };
            var what = $"3x3, {channels} channels, {side}x{side}";
            yield return GpuRow.Compute(device, $"{what}: forward", 2 * g.MultiplyAdds, () => device.Backend.Conv2d(x, w, g, default, y));
            yield return GpuRow.Compute(device, $"{what}: quadratic + statistics", 2 * g.MultiplyAdds, () => device.Backend.Conv2d(x, w, g, quadratic, y));
            yield return GpuRow.Compute(device, $"{what}: input gradient", 2 * g.MultiplyAdds, () => device.Backend.Conv2dInputGradient(y, w, g, x));
            yield return GpuRow.Compute(device, $"{what}: filter gradient", 2 * g.MultiplyAdds, () => device.Backend.Conv2dFilterGradient(x, y, g, dw));
        }
    }

    static IEnumerable<GpuRow> Passes(GpuDevice device, int images)
    {
        Shape shape = [images, 56, 56, 64];
        using Tensor x = Random(device, shape, 1), y = Tensor.Like(x), dy = Random(device, shape, 2);
        using Tensor mean = Tensor.Zeros([64], device), variance = Tensor.Ones([64], device), dGamma = Tensor.Like(mean), dBeta = Tensor.Like(mean);
        var bytes = 4.0 * shape.Elements;
        yield return GpuRow.Pass(device, "ReLU", 2 * bytes, () => device.Backend.Unary<Relu>(x, y));
        yield return GpuRow.Pass(device, "batch-norm statistics", bytes, () => device.Backend.GatherStatistics(x, new ChannelStatistics(mean, variance)));
        yield return GpuRow.Pass(device, "batch norm + residual + ReLU", 3 * bytes, () => device.Backend.BatchNorm(x, mean, variance, 1e-5f, null, null, dy, true, y));
        yield return GpuRow.Pass(device, "batch norm backward", 7 * bytes, () => device.Backend.BatchNormBackward(dy, x, y, mean, variance, 1e-5f, null, true, y, dGamma, dBeta, null));
        using var lambda = Random(device, [48], 3);
        yield return GpuRow.Pass(device, "quadratic neurons, rank 3", 2 * bytes, () => device.Backend.Quadratic(x, new QuadraticTerm(lambda, new NeuronLayout(64, 3), true), y));
    }

    static void Steps(GpuDevice device, int batch)
    {
        var linear = 0.0;
        foreach (var rank in (int[])[0, 3])
        {
            var net = new ResNet20(rank, batch, device);
            for (var i = 0; i < 3; i++) net.Train();
            var launches = device.Launches;
            var times = new List<double>();
            for (var i = 0; i < 10; i++)
            {
                var start = Stopwatch.GetTimestamp();
                net.Train();
                times.Add(Stopwatch.GetElapsedTime(start).TotalSeconds);
            }

            var median = Statistics.Median(times);
            if (rank == 0) linear = median;
            Console.WriteLine($"{$"ResNet-20 step, batch {batch}, {(rank == 0 ? "linear" : $"quadratic k = {rank}")}",-44} {median * 1e6,11:F0} {batch / median,9:N0} images/s; {(device.Launches - launches) / 10} launches{(rank == 0 ? "" : $"; {median / linear:F2} of the linear step")}");
        }
    }

    static Tensor Random(Device device, Shape shape, ulong seed) => Tensor.Uniform(shape, -1f, 1f, new Generator(seed), device);

    static Tensor Output(Shape shape, Device device, Action<Tensor> run)
    {
        var y = Tensor.Empty(shape, device);
        run(y);
        return y;
    }
}

/// <summary>One line of the table.</summary>
sealed record GpuRow(string Work, double Seconds, double Flops, double Bytes)
{
    public static GpuRow Compute(GpuDevice device, string work, double flops, Action call) => new(work, Clock.Seconds(device, call), flops, 0);

    public static GpuRow Pass(GpuDevice device, string work, double bytes, Action call) => new(work, Clock.Seconds(device, call), 0, bytes);

    public void Print(GpuLimits limits)
    {
        var rate = Flops > 0 ? $"{Flops / Seconds / 1e9:N0} GFLOP/s" : $"{Bytes / Seconds / 1e9:N0} GB/s";
        var share = Flops > 0 ? Flops / Seconds / limits.FlopsPerSecond : Bytes / Seconds / limits.BytesPerSecond;
        Console.WriteLine($"{Work,-44} {Seconds * 1e6,11:F1} {rate,16} {share,9:P0}");
    }
}
