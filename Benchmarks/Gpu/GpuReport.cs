using System.Globalization;
using QuadEngine.Data;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>
/// Checks a GPU against the CPU, then times it, then prints one table of targets: the pages of docs/gpu.md. Runs on any device of the Gpu
/// package; on a CPU (OpenCL, simulator) with small work, to see that the program itself works.
/// </summary>
static class GpuReport
{
    /// <summary>Float32 multiply-adds and copies of an H200, by its maker; the device's own limits are measured.</summary>
    const double PeakOfH200 = 67e12;

    public static int Run(string[] args)
    {
        var options = new Arguments(args, "device", "size", "batch", "check", "seeds", "torch", "data-dir");
        GpuDevices.Register();
        var name = options.Text("device") is { Length: > 0 } given ? given : "cuda:0";
        if (name.Contains('/', StringComparison.Ordinal) || Device.Get(name) is not GpuDevice device)
        {
            Console.Error.WriteLine($"gpu: {name} is no GPU; give one of those that `quad doctor` shows, without a precision, e.g. --device opencl:0");
            return 2;
        }

        var real = name.StartsWith("cuda", StringComparison.Ordinal);
        int size = options.Number("size", real ? 4096 : 128), batch = options.Number("batch", real ? 128 : 4);
        foreach (var description in GpuDiagnostics.Describe().Where(description => description.Name == device.Name)) Console.WriteLine(description);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{DateTime.UtcNow:yyyy-MM-dd}, {Environment.OSVersion}, .NET {Environment.Version}"));

        var devices = Enum.GetValues<Precision>().ToDictionary(precision => precision, precision => (GpuDevice)Device.Get(precision == Precision.Float32 ? name : $"{name}/{precision}"));
        var errors = GpuCheck.Run(devices, options.Text("check"), options.Number("seeds", real ? 8 : 2));
        var limits = GpuLimits.Measure(device, real ? 1 << 27 : 1 << 20);
        var targets = new GpuTargets();
        foreach (var (precision, share) in errors)
            targets.AtMost($"largest error against the CPU, {precision}, relative to {GpuCheck.Limit(precision):G1}", share, 1);

        var peers = GpuPeers.Run(device, options.Text("torch"), batch, size);
        foreach (var note in peers.Notes) Console.WriteLine(note);
        Console.WriteLine($"\n{limits}\n\n{"work",-52} {"time us",11} {"rate",16} {"of limit",9}");
        var products = devices.ToDictionary(pair => pair.Key, pair => Products(pair.Value, size, batch).Select(row => row.Print(limits)).ToArray());
        targets.AtLeast($"float32 matrix product {size}^3, share of 67 TFLOP/s", products[Precision.Float32][0].FlopsPerSecond / PeakOfH200, 0.6);
        targets.AtLeast($"tf32 matrix product {size}^3 / cuBLAS tf32, rates", peers["cublas tf32"] / products[Precision.Tf32][0].Seconds, 0.5);
        targets.State($"bf16 matrix product {size}^3", $"{products[Precision.Bf16][0].FlopsPerSecond / 1e12:F1} TFLOP/s");

        foreach (var row in Passes(device, real ? 128 : 2).Select(row => row.Print(limits)))
            targets.AtLeast($"{row.Work}, share of a copy", row.BytesPerSecond / limits.BytesPerSecond, 0.8);
        var (images, source) = Cifar10(options.Text("data-dir"), real ? 50_000 : 3 * batch);
        Steps(devices, batch, images, peers, targets);
        Console.WriteLine($"\nEpochs: {images.Count:N0} images, {source}; as the trainer runs them, without the evaluation after each.");
        targets.Print();
        return errors.Values.All(share => share <= 1) ? 0 : 1;
    }

    static IEnumerable<GpuRow> Products(GpuDevice device, int size, int batch)
    {
        using (Tensor a = Random(device, [size, size], 1), b = Random(device, [size, size], 2), y = Tensor.Empty([size, size], device))
        {
            var g = new MatMulGeometry(1, size, size, size, false, false, 0, 0);
            yield return GpuRow.Compute(device, $"{device.Precision}: matrix product {size}^3", 2 * g.MultiplyAdds, () => device.Backend.MatMul(a, b, g, default, y));
        }

        foreach (var (channels, side) in ((int, int)[])[(16, 32), (32, 16), (64, 8)])
        {
            var g = new ConvGeometry(batch, side, side, channels, channels, new Window(3, 3, 1, 1));
            using Tensor x = Random(device, [batch, side, side, channels], 3), w = Random(device, [3, 3, channels, channels], 4), y = Tensor.Like(x), dw = Tensor.Like(w);
            using Tensor mean = Tensor.Zeros([channels], device), variance = Tensor.Zeros([channels], device);
            var layout = new NeuronLayout(channels, 3);
            using var lambda = Random(device, [layout.Coefficients], 5);
            var quadratic = new Epilogue<Tensor> { Quadratic = new QuadraticTerm<Tensor>(lambda, layout, true), Statistics = new ChannelStatistics<Tensor>(mean, variance) };
            var what = $"{device.Precision}: 3x3, {channels} channels, {side}x{side}";
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
        yield return GpuRow.Pass(device, "batch-norm statistics", bytes, () => device.Backend.GatherStatistics(x, new ChannelStatistics<Tensor>(mean, variance)));
        yield return GpuRow.Pass(device, "batch norm + residual + ReLU", 3 * bytes, () => device.Backend.BatchNorm(x, mean, variance, 1e-5f, null, null, dy, Activation.Relu, y));
        yield return GpuRow.Pass(device, "batch norm backward", 7 * bytes, () => device.Backend.BatchNormBackward(dy, x, y, mean, variance, 1e-5f, null, true, y, dGamma, dBeta, null));
        using var lambda = Random(device, [48], 3);
        yield return GpuRow.Pass(device, "quadratic neurons, rank 3", 2 * bytes, () => device.Backend.Quadratic(x, new QuadraticTerm<Tensor>(lambda, new NeuronLayout(64, 3), true), y));
    }

    static void Steps(IReadOnlyDictionary<Precision, GpuDevice> devices, int batch, ImageDataset images, GpuPeers peers, GpuTargets targets)
    {
        Console.WriteLine($"\n{$"ResNet-20, batch {batch}: training step",-52} {"launched us",11} {"recorded us",11} {"images/s",9} {"launches",9}");
        foreach (var (precision, device) in devices)
        {
            var recorded = new Dictionary<int, double>();
            foreach (var rank in (int[])[0, 3])
            {
                var steps = new GpuSteps(device, rank, batch);
                var launched = steps.ByLaunches();
                recorded[rank] = steps.Recorded();
                Console.WriteLine($"{$"{precision}, {(rank == 0 ? "linear" : $"quadratic k = {rank}")}",-52} {launched * 1e6,11:F0} {recorded[rank] * 1e6,11:F0} {batch / recorded[rank],9:N0} {steps.Launches,9}");
                var epoch = $"CIFAR-10 epoch, ResNet-20{(rank == 0 ? "" : $" quadratic k = {rank}")}, batch {batch}, {precision}, augmentation on";
                targets.State($"{epoch}, data on the card", $"{steps.Epoch(images, onCard: true):F2} s");
                if (rank == 0) targets.State($"{epoch}, streamed from the host", $"{steps.Epoch(images, onCard: false):F2} s");
            }

            var name = precision.ToString().ToLowerInvariant();
            if (precision != Precision.Bf16)
            {
                targets.AtMost($"step, linear, {name} / PyTorch eager", recorded[0] / peers[$"linear eager {name}"], 0.5);
                targets.AtMost($"step, quadratic k = 3, {name} / PyTorch eager", recorded[3] / peers[$"quadratic eager {name}"], 0.35);
                targets.AtMost($"step, linear, {name} / PyTorch as a CUDA graph", recorded[0] / peers[$"linear graph {name}"], 1.2);
            }

            targets.AtMost($"step, quadratic / linear, {name}", recorded[3] / recorded[0], 1.05);
        }
    }

    /// <summary>The training images where the folder has them, else random bytes of their shape, which cost the same.</summary>
    static (ImageDataset Images, string Source) Cifar10(string folder, int count)
    {
        var info = Datasets.Get("cifar10");
        if (folder.Length == 0) folder = Datasets.DefaultFolder;
        if (info.Find(folder) is not null) return (info.Load(folder).Train.Take(count), $"those of {folder}");

        var bytes = new byte[count * info.ImageShape.Elements];
        new Random(1).NextBytes(bytes);
        var labels = Enumerable.Range(0, count).Select(i => i % info.Classes).ToArray();
        return (new("random", bytes, labels, info.ClassNames, info.ImageShape[0], info.ImageShape[1], info.ImageShape[2], info.Normalization), "random bytes (--data-dir names a folder with CIFAR-10)");
    }

    static Tensor Random(Device device, Shape shape, ulong seed) => Tensor.Uniform(shape, -1f, 1f, new Generator(seed), device);
}

/// <summary>One line of the times.</summary>
sealed record GpuRow(string Work, double Seconds, double Flops, double Bytes)
{
    public double FlopsPerSecond => Flops / Seconds;

    public double BytesPerSecond => Bytes / Seconds;

    public static GpuRow Compute(GpuDevice device, string work, double flops, Action call) => new(work, Clock.Seconds(device, call), flops, 0);

    public static GpuRow Pass(GpuDevice device, string work, double bytes, Action call) => new(work, Clock.Seconds(device, call), 0, bytes);

    public GpuRow Print(GpuLimits limits)
    {
        var rate = Flops > 0 ? $"{FlopsPerSecond / 1e9:N0} GFLOP/s" : $"{BytesPerSecond / 1e9:N0} GB/s";
        var share = Flops > 0 ? FlopsPerSecond / limits.FlopsPerSecond : BytesPerSecond / limits.BytesPerSecond;
        Console.WriteLine($"{Work,-52} {Seconds * 1e6,11:F1} {rate,16} {share,9:P0}");
        return this;
    }
}
