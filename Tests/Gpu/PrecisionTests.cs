using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Models;

namespace QuadEngine.Tests.Gpu;

/// <summary>Products at the precision of tensor cores. Without tensor cores, the same tiles use other instructions.</summary>
public class PrecisionTests
{
    static readonly string[] Products = [nameof(Backend.MatMul), nameof(Backend.Conv2d), nameof(Backend.Conv2dInputGradient), nameof(Backend.Conv2dFilterGradient)];

    public static IEnumerable<BackendCase> Cases => BackendCases.All.Where(testCase => Products.Contains(testCase.Method));

    // Factors that bfloat16 can hold are not rounded, so the result equals that of float32, at every place of the tile.
    [Test]
    public void Numbers_of_the_format_give_the_products_of_float32([ValueSource(nameof(Cases))] BackendCase testCase, [Values(Precision.Tf32, Precision.Bf16)] Precision precision)
    {
        if (precision != Precision.Bf16) LongFormOnly();
        var device = OpenCl(precision);
        for (var seed = 0; seed < 12; seed++) Parity.AssertSame(testCase, Device.Cpu, device, seed, round: Bf16.Round);
    }

    [Test]
    public void The_simulator_does_too([ValueSource(nameof(Cases))] BackendCase testCase)
    {
        var device = (GpuDevice)new GpuDevices().TryGet("simulator")!;
        device.Precision = Precision.Bf16;
        for (var seed = 1; seed < 4; seed++) Parity.AssertSame(testCase, Device.Cpu, device, seed, tiny: true, round: Bf16.Round);
    }

    // If a device has warp groups, large products use their tile; here every product uses it. The texts for CUDA multiply both formats (PtxExecutionTests).
    [TestCaseSource(nameof(Cases))]
    public void Warp_groups_multiply_numbers_of_the_format_too(BackendCase testCase)
    {
        LongFormOnly();
        var device = OpenCl(Precision.Tf32, TileChoice.WarpGroups256x128);
        for (var seed = 0; seed < 12; seed++) Parity.AssertSame(testCase, Device.Cpu, device, seed, round: Bf16.Round);
    }

    [TestCase(Precision.Bf16, 1e-4, 1e-2)]
    public void Warp_groups_round_factors_to_the_format_and_no_further(Precision precision, double least, double most)
    {
        LongFormOnly();
        AssertRounded(OpenCl(precision, TileChoice.WarpGroups256x128), least, most);
    }

    // The compilation takes minutes, and the texts for CUDA are always executed (PtxExecutionTests).
    static void LongFormOnly()
    {
        if (Environment.GetEnvironmentVariable("QUADENGINE_CALLS") is null) Assert.Ignore("QUADENGINE_CALLS=100 also emulates warp groups and tf32 with OpenCL.");
    }

    [TestCase(Precision.Float32, 0, 1e-6)]
    [TestCase(Precision.Tf32, 1e-5, 2e-3)]
    [TestCase(Precision.Bf16, 1e-4, 1e-2)]
    public void Factors_are_rounded_to_the_format_and_no_further(Precision precision, double least, double most)
    {
        if (precision != Precision.Bf16) LongFormOnly();
        AssertRounded(OpenCl(precision), least, most);
    }

    /// <summary>Checks that the products of a device are those of factors rounded to its precision, and measures their distance from float32.</summary>
    internal static void AssertRounded(GpuDevice device, double least, double most)
    {
        var g = new ConvGeometry(2, 12, 12, 32, 64, new Window(3, 3, 2, 1));
        Shape image = [2, 12, 12, 32], filter = [3, 3, 32, 64], output = [2, 6, 6, 64];
        using (Assert.EnterMultipleScope())
        {
            Check([256, 300], [300, 64], [256, 64], (on, a, b, y) => on.Backend.MatMul(a, b, new MatMulGeometry(1, 256, 64, 300, false, false, 0, 0), default, y));
            Check(image, filter, output, (on, x, w, y) => on.Backend.Conv2d(x, w, g, default, y));
            Check(output, filter, image, (on, dy, w, dx) => on.Backend.Conv2dInputGradient(dy, w, g, dx));
            Check(image, output, filter, (on, x, dy, dw) => on.Backend.Conv2dFilterGradient(x, dy, g, dw));
        }

        void Check(Shape a, Shape b, Shape y, Action<Device, Tensor, Tensor, Tensor> run)
        {
            float[] expected = Run(Device.Cpu, value => value), got = Run(device, value => value), rounded = Run(Device.Cpu, Rounding(device.Precision));
            Assert.That(Error(got, expected), Is.InRange(least, most), "against float32");
            Assert.That(Error(got, rounded), Is.LessThan(1e-6), "against float32 of factors rounded before");

            float[] Run(Device on, Func<float, float> round)
            {
                using Tensor left = Values(a, 1), right = Values(b, 2), result = Tensor.Empty(y, on);
                run(on, left, right, result);
                return result.ToArray();

                Tensor Values(Shape shape, ulong seed) => Tensor.FromArray([.. Tensor.Normal(shape, generator: new Generator(seed)).ToArray().Select(round)], shape, on);
            }
        }
    }

    // The shapes of a ResNet's stages use tiles that small random shapes do not use.
    [Test]
    public void Stages_of_a_resnet_convolve_as_on_the_cpu([Values(Precision.Float32, Precision.Bf16)] Precision precision, [Values(16, 32, 64)] int channels)
    {
        var device = OpenCl(precision);
        var side = 512 / channels;
        var g = new ConvGeometry(32, side, side, channels, channels, new Window(3, 3, 1, 1));
        var stage = new BackendCase(nameof(Backend.Conv2d), "", s =>
        {
            Tensor x = s.Values([32, side, side, channels]), w = s.Values([3, 3, channels, channels]), y = s.Output(x.Shape), mean = s.Output([channels]), variance = s.Output([channels]), dw = s.Output(w.Shape), dx = s.Output(x.Shape);
            s.Backend.Conv2d(x, w, g, new Epilogue<Tensor> { Statistics = new ChannelStatistics<Tensor>(mean, variance) }, y);
            s.Backend.Conv2dInputGradient(x, w, g, dx);
            s.Backend.Conv2dFilterGradient(x, x, g, dw);
            foreach (var (name, result) in ((string, Tensor)[])[("y", y), ("mean", mean), ("variance", variance), ("dx", dx), ("dw", dw)]) s.Result(name, result);
        }, Tolerance: 1e-3f); // Gradients of filters add up 32,768 products; some are as large as 10,000.
        Parity.AssertSame(stage, Device.Cpu, device, seed: 2, round: Bf16.Round);
    }

    [Test]
    public void A_name_has_a_precision()
    {
        GpuDevices.Register();
        var device = (GpuDevice)Device.Get("simulator/bf16");
        Assert.That((device.Precision, device.Name), Is.EqualTo((Precision.Bf16, "simulator/bf16")));
        Assert.That(Device.Get("simulator/BF16"), Is.SameAs(device));
        Assert.That(Device.Get("simulator/float32"), Is.SameAs(Device.Get("simulator")));
        Assert.That(TestDevices.Simulator.Precision, Is.EqualTo(Precision.Float32));
        Assert.Throws<ArgumentException>(() => Device.Get("simulator/fp8"));
        Assert.Throws<ArgumentException>(() => Device.Get("simulator/1"));
    }

    // The run stops after these steps; a GPU also finishes the step that it has started.
    [Test]
    public void A_run_that_is_resumed_keeps_its_precision_and_its_bits()
    {
        _ = TestDevices.OpenCl;
        using var files = new QuadEngine.Tests.Data.DataFiles();
        string Folder(string name) => Path.Combine(files.Folder, name);
        var configuration = new RunConfiguration
        {
            Network = new() { Model = "resnet8", Neuron = "quadratic" },
            Device = "opencl:0/bf16",
            TrainImages = 16,
            Training = new() { Epochs = 1, BatchSize = 2, Augmentation = new("crop-flip", ("padding", 2)), CheckpointSeconds = null },
        };

        Run(TrainingRun.Start(configuration, Folder("whole")), 3);
        Run(TrainingRun.Start(configuration, Folder("stopped")), 1);
        var resumed = TrainingRun.Resume(Folder("stopped"));
        Assert.That(resumed.Network.Device, Is.SameAs(Device.Get("opencl:0/bf16")));
        Assert.That(((GpuDevice)resumed.Network.Device).Precision, Is.EqualTo(Precision.Bf16));
        Run(resumed, 3);
        Assert.That(Weights("stopped"), Is.EqualTo(Weights("whole")));

        byte[] Weights(string name) => File.ReadAllBytes(Path.Combine(Folder(name), "last.safetensors"));

        static void Run(TrainingRun run, int stopAfter)
        {
            using var stop = new CancellationTokenSource();
            run.Trainer.Stepped += step => { if (step.Step == stopAfter) stop.Cancel(); };
            Assert.That(run.Trainer.Run(stop.Token), Is.False);
            Assert.That(run.Trainer.State.Step, Is.EqualTo(stopAfter + 1));
        }
    }

    [Test]
    public void Rounding_goes_to_the_nearest_number()
    {
        Assert.That(Tf32.Round(1f + MathF.ScaleB(0.49f, -10)), Is.EqualTo(1f));
        Assert.That(Tf32.Round(1f + MathF.ScaleB(0.5f, -10)), Is.EqualTo(1f + MathF.ScaleB(1f, -10)), "ties go away from zero");
        Assert.That(Tf32.Round(-1f - MathF.ScaleB(0.5f, -10)), Is.EqualTo(-1f - MathF.ScaleB(1f, -10)));
        Assert.That(Bf16.Round(1f + MathF.ScaleB(0.5f, -7)), Is.EqualTo(1f), "ties go to even");
        Assert.That(Bf16.Round(1f + MathF.ScaleB(1.5f, -7)), Is.EqualTo(1f + MathF.ScaleB(2f, -7)));
        Assert.That(Tf32.Round(float.NaN), Is.NaN);
        Assert.That(Bf16.Round(float.NegativeInfinity), Is.EqualTo(float.NegativeInfinity));
    }

    static Func<float, float> Rounding(Precision precision) => precision switch
    {
        Precision.Tf32 => Tf32.Round,
        Precision.Bf16 => Bf16.Round,
        _ => value => value,
    };

    static double Error(float[] got, float[] expected) => got.Zip(expected, (a, b) => Math.Abs(a - b)).Max() / expected.Max(Math.Abs);

    // A separate device, so that the precision of the device that all tests share does not change.
    static GpuDevice OpenCl(Precision precision, TileChoice? only = null)
    {
        _ = TestDevices.OpenCl;
        var device = (GpuDevice)Provider.TryGet("opencl:0")!;
        (device.Precision, device.OnlyTile) = (precision, only);
        return device;
    }

    static readonly GpuDevices Provider = new();
}
