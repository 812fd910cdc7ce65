using QuadEngine.Benchmarks.Gpu.Parts;
using QuadEngine.Devices;
using QuadEngine.Gpu;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>The steps of docs/kernels.md: one matrix product in ever faster versions, each with its error and its share of the peak.</summary>
static class KernelsTour
{
    public static int Run(string[] args)
    {
        var options = new Arguments(args, "device", "size");
        GpuDevices.Register();
        var name = options.Text("device") is { Length: > 0 } given ? given : GpuDiagnostics.Describe().First(description => description.Works).Name;
        var device = (GpuDevice)Device.Get(name);
        var real = name.StartsWith("cuda", StringComparison.Ordinal);
        var n = options.Number("size", real ? 2048 : 256);
        Check.That(n % 128 == 0, "kernels-tour", $"the size is {n}; the steps of the tour take multiples of 128.");

        using Tensor left = Tensor.Uniform([n, n], -1f, 1f, new Generator(1), device), right = Tensor.Uniform([n, n], -1f, 1f, new Generator(2), device), result = Tensor.Empty([n, n], device);
        using var expected = left.To(Device.Cpu).MatMul(right.To(Device.Cpu));
        using Operand a = left.Read(), b = right.Read(), y = result.Write();
        var wanted = expected.ToArray();
        var peak = LimitsPart.MultiplyAddsASecond(device, real ? 4096 : 64);
        Console.WriteLine($"{device.Name}, {device.Accelerator.Name}: FMA peak {peak / 1e9:N0} GFLOP/s\n\n{$"y = a b, {n} x {n}",-28} {"error",9} {"time us",11} {"GFLOP/s",9} {"of peak",8}");
        Step("1 naive", () => device.Launch(new NaiveProduct(a.View(), b.View(), y.View(), n), n * n / IKernel.DefaultThreads));
        Step("2 tiled", () => device.Launch(new SharedTileProduct(a.View(), b.View(), y.View(), n), n / SharedTileProduct.Side, n / SharedTileProduct.Side));
        Step("3 register-blocked", () => device.Launch(new RegisterTileProduct(a.View(), b.View(), y.View(), n), n / RegisterTileProduct.Side, n / RegisterTileProduct.Side));
        Step("4 tensor cores, tf32", () => device.Launch(new TensorCoreProduct(a.View(), b.View(), y.View(), n), n / TensorCoreProduct.Side, n / TensorCoreProduct.Side));
        var precision = device.Precision;
        foreach (var engine in Enum.GetValues<Precision>())
        {
            device.Precision = engine;
            Step($"5 the engine's, {engine}", () => device.Kernels.MatMul(a, b, new MatMulGeometry(1, n, n, n, false, false, 0, 0), default, y));
        }

        device.Precision = precision;
        return 0;

        void Step(string what, Action multiply)
        {
            var seconds = Clock.Seconds(device, multiply);
            var error = result.ToArray().Zip(wanted, (got, value) => Math.Abs(got - value)).Max() / wanted.Max(Math.Abs);
            var flops = 2.0 * n * n * n / seconds;
            Console.WriteLine($"{what,-28} {error,9:E1} {seconds * 1e6,11:F1} {flops / 1e9,9:N1} {flops / peak,8:P1}");
        }
    }
}
