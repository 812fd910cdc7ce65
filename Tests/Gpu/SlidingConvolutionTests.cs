using CsCheck;
using QuadEngine.Devices;
using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Tests.Operations;

namespace QuadEngine.Tests.Gpu;

/// <summary>Sliding convolutions and their gradients give the results of the CPU. Here they are used for images of any size.</summary>
public class SlidingConvolutionTests
{
    static readonly BackendCase[] Cases =
    [
        new(nameof(Backend.Conv2d), "", s =>
        {
            var g = Geometry(s, stride: 1);
            Tensor x = s.Values(InputOf(g)), filter = s.Values(FilterOf(g), -0.2f, 0.2f), y = s.Output(OutputOf(g));
            var epilogue = BackendCases.Epilogue(s, g.Rows, g.OutChannels);
            s.Backend.Conv2d(x, filter, g, epilogue, y);
            s.Result("y", y);
            BackendCases.Results(s, epilogue.Statistics);
        }),
        new(nameof(Backend.Conv2dInputGradient), "", s =>
        {
            var g = Geometry(s, stride: 1);
            Tensor dy = s.Values(OutputOf(g)), filter = s.Values(FilterOf(g)), dx = s.Output(InputOf(g));
            s.Backend.Conv2dInputGradient(dy, filter, g, dx);
            s.Result("dx", dx);
        }),
        new(nameof(Backend.Conv2dFilterGradient), "", s =>
        {
            var g = Geometry(s, stride: s.Pick(1, 2));
            Tensor x = s.Values(InputOf(g)), dy = s.Values(OutputOf(g)), dFilter = s.Output(FilterOf(g));
            s.Backend.Conv2dFilterGradient(x, dy, g, dFilter);
            s.Result("dFilter", dFilter);
        }),
        new(nameof(Kernels.NormalizeAndConv2d), "", s =>
        {
            var g = Geometry(s, stride: 1);
            Tensor x = s.Values(InputOf(g)), filter = s.Values(FilterOf(g), -0.2f, 0.2f), y = s.Output(OutputOf(g));
            var epilogue = BackendCases.Epilogue(s, g.Rows, g.OutChannels);
            using var held = new Held();
            s.Device.Kernels.NormalizeAndConv2d(held.Read(x), Norm(s, g.InChannels, held), held.Read(filter), g, epilogue.Hold(held), held.Write(y));
            s.Result("y", y);
            BackendCases.Results(s, epilogue.Statistics);
        }),
        new(nameof(Kernels.NormalizeAndConv2dFilterGradient), "", s =>
        {
            var g = Geometry(s, stride: 1);
            Tensor x = s.Values(InputOf(g)), dy = s.Values(OutputOf(g)), dFilter = s.Output(FilterOf(g));
            using var held = new Held();
            s.Device.Kernels.NormalizeAndConv2dFilterGradient(held.Read(x), Norm(s, g.InChannels, held), held.Read(dy), g, held.Write(dFilter));
            s.Result("dFilter", dFilter);
        }),
        new(nameof(Kernels.NormalizeAndConv2dInputGradient), "", s =>
        {
            var c = Geometry(s, stride: 1);
            Tensor dy = s.Values(OutputOf(c)), filter = s.Values(FilterOf(c)), x = s.Values(InputOf(c)), g = s.Output(InputOf(c)), dGamma = s.Output([c.InChannels]), dBeta = s.Output([c.InChannels]);
            using var held = new Held();
            s.Device.Kernels.NormalizeAndConv2dInputGradient(held.Read(dy), held.Read(filter), c, held.Read(x), Norm(s, c.InChannels, held), held.Write(g), held.Write(dGamma), held.Write(dBeta));
            s.Result("g", g);
            s.Result("dGamma", dGamma);
            s.Result("dBeta", dBeta);
        }),
    ];

    [TestCaseSource(nameof(Cases))]
    public void OpenCl_equals_the_cpu(BackendCase testCase)
    {
        if (Environment.GetEnvironmentVariable("QUADENGINE_CALLS") is null) Assert.Ignore("QUADENGINE_CALLS=100 compiles each of them for OpenCL; the text for CUDA is always executed, and other tests run networks on OpenCL.");
        var device = OwnOpenCl();
        for (var seed = 0; seed < 8; seed++) AssertSame(testCase, device, seed);
    }

    [TestCaseSource(nameof(Cases))]
    public void The_text_for_cuda_equals_the_cpu(BackendCase testCase)
    {
        using var cuda = new InterpretedCuda();
        var device = cuda.Device();
        var before = device.FewestGroups;
        device.FewestGroups = 0;
        try
        {
            for (var seed = 0; seed < 6; seed++) AssertSame(testCase, device, seed);
        }
        finally
        {
            device.FewestGroups = before;
        }
    }

    [TestCase(16, "Tile256x16")]
    [TestCase(32, "Tile128x32")]
    [TestCase(64, "Tile64x64")]
    public void Stages_of_a_resnet_slide(int channels, string tile)
    {
        var stub = StubDriver.Instance;
        var device = (GpuDevice)new GpuDevices().TryGet("cuda")!;
        var g = new ConvGeometry(128, 512 / channels, 512 / channels, channels, channels, new Window(3, 3, 1, 1));
        using Tensor image = Tensor.Empty(InputOf(g), device), filter = Tensor.Empty(FilterOf(g), device), result = Tensor.Empty(InputOf(g), device), gradient = Tensor.Empty(FilterOf(g), device);
        device.Backend.Conv2d(image, filter, g, default, result);
        Assert.That(stub.LastPtx, Does.Contain($"SlidingConvolution_{tile}_FilterOfOutputs"));
        device.Backend.Conv2dInputGradient(image, filter, g, result);
        Assert.That(stub.LastPtx, Does.Contain($"SlidingConvolution_{tile}_FilterOfInputs"));
        device.Backend.Conv2dFilterGradient(image, image, g, gradient);
        Assert.That(stub.LastPtx, Does.Contain("FoldColumns").Or.Contain("SlidingFilterGradient"));
        device.Precision = Precision.Tf32;
        device.Backend.Conv2d(image, filter, g, default, result);
        Assert.That(stub.LastPtx, Does.Contain("TensorCoreMultiplier"));
    }

    [Test]
    public void A_batch_norm_before_a_convolution_is_never_written()
    {
        var device = OwnOpenCl();
        foreach (var quadratic in (bool[])[false, true])
        {
            var (expected, _, _) = Train(Device.Cpu, quadratic, look: false);

            // The first step of a device has launches that later steps do not need.
            _ = Train(device, quadratic, look: false);
            var (got, deferred, launches) = Train(device, quadratic, look: false);
            var (looked, _, launchesOfLooked) = Train(device, quadratic, look: true);
            Assert.That(deferred, Is.True, "nothing has computed it, even after the backward");
            Assert.That(launches, Is.LessThan(launchesOfLooked));
            for (var i = 0; i < expected.Length; i++)
            {
                var allowed = 1e-5f * expected[i].Max(MathF.Abs);
                Assert.That(got[i], Is.EqualTo(expected[i]).Within(allowed), $"gradient {i}");
                Assert.That(looked[i], Is.EqualTo(expected[i]).Within(allowed), $"gradient {i}, of a norm that was read between them");
            }
        }
    }

    [Test]
    public void Backwards_that_join_that_of_a_convolution_give_the_gradients_of_the_cpu() => Gen.ULong[1, ulong.MaxValue >> 8].Sample(seed =>
    {
        float[][] expected = Gradients(Device.Cpu, seed), got = Gradients(OwnOpenCl(), seed);
        for (var i = 0; i < expected.Length; i++)
            Assert.That(got[i], Is.EqualTo(expected[i]).Within(3e-5f * expected[i].Select(MathF.Abs).DefaultIfEmpty().Max()), $"seed {seed}, gradient {i}");
    }, iter: 30, threads: 1);

    // Returns the gradients through (neurons,) batch norm, ReLU and convolution. Some inputs are constant, some operations are absent, and other operations may read results between them. An absent gradient is empty.
    static float[][] Gradients(Device device, ulong seed)
    {
        var dice = new Dice(seed);
        var layout = new NeuronLayout(16, 3);
        Tensor x = Leaf([2, 8, 16, 16]), lambda = Leaf([layout.Coefficients]), filter = Leaf([3, 3, 16, 16]), gamma = Leaf([16]), beta = Leaf([16]), bias = Leaf([16]), cotangent = dice.Values([2, 8, 16, 16]).To(device);
        var hidden = dice.Coin() ? x.QuadraticNeuron(lambda, layout) : x;
        if (Seldom()) _ = hidden.Exp();
        Tensor? scale = Seldom() ? null : gamma, shift = Seldom() ? null : beta;
        hidden = Seldom() ? hidden.BatchNormInference(Tensor.Full([16], 0.1f, device), Tensor.Full([16], 2f, device), scale, shift) : hidden.BatchNorm(scale, shift);
        if (Seldom()) hidden += cotangent;
        if (!Seldom()) hidden = hidden.Relu();
        var y = hidden.Conv2d(filter, Seldom() ? bias : null, padding: 1);
        if (Seldom()) y += hidden;
        if (y.RequiresGrad) y.Backward(cotangent);
        return [.. ((Tensor[])[x, lambda, filter, gamma, beta, bias]).Select(leaf => leaf.Grad?.ToArray() ?? [])];

        bool Seldom() => dice.Between(0, 3) == 0;

        Tensor Leaf(Shape of)
        {
            var leaf = dice.Values(of).To(device);
            leaf.RequiresGrad = !Seldom();
            return leaf;
        }
    }

    // Returns the gradients of all parameters and of the input, then the result of the batch norm; whether that was still deferred after the backward; and the number of launches.
    static (float[][] Results, bool Waits, long Launches) Train(Device device, bool quadratic, bool look)
    {
        var x = Tensor.Normal([2, 16, 16, 16], generator: new Generator(1)).To(device);
        x.RequiresGrad = true;
        Generator.Default = new Generator(2);
        Module first = quadratic ? new QuadraticConv2d(16, 16, 3, rank: 3, padding: 1, bias: false, options: new QuadraticOptions { LambdaDeviation = 0.1f }) : new QuadEngine.Layers.Conv2d(16, 16, 3, padding: 1, bias: false);
        Module[] net = [first, new Layers.BatchNorm(16), new Layers.Relu(), new QuadEngine.Layers.Conv2d(16, 16, 3, padding: 1)];
        foreach (var module in net) module.To(device);
        var before = device is GpuDevice gpu ? gpu.Launches : 0;
        var hidden = net[2][net[1][net[0][x]]];
        if (look) _ = hidden.ToArray();
        var y = net[3][hidden];
        (y * y).Mean().Backward();
        var launches = device is GpuDevice same ? same.Launches - before : 0;
        var deferred = hidden.Storage.Deferred is not null;
        return ([.. net.SelectMany(module => module.Parameters()).Select(parameter => parameter.Grad!.ToArray()), x.Grad!.ToArray(), hidden.ToArray()], deferred, launches);
    }

    // Compilation takes most of the time, so all tests share one device.
    static GpuDevice? own;

    static GpuDevice OwnOpenCl()
    {
        _ = TestDevices.OpenCl;
        own ??= (GpuDevice)new GpuDevices().TryGet("opencl")!;
        own.FewestGroups = 0;
        return own;
    }

    static void AssertSame(BackendCase testCase, Device device, int seed) => Parity.AssertSame(testCase, Device.Cpu, device, seed, aligned: true);

    // Images that are multiples of blocks of 8x8 pixels and others; channels that make one tile or several.
    static ConvGeometry Geometry(Sample s, int stride)
    {
        int padding = s.Pick(0, 2), height = Extent(), width = Extent();
        return new ConvGeometry(s.Pick(1, 3), height, width, 16 * s.Pick(1, 3), 16 * s.Pick(1, 5), new Window(3, 3, stride, padding));

        int Extent() => Math.Max(3, stride * (s.Chance() ? 8 * s.Pick(1, 2) : s.Pick(5, 17)) + 3 - stride - 2 * padding);
    }

    static NormTerm<Operand> Norm(Sample s, int channels, Held held) => new(
        held.Read(s.Values([channels])), held.Read(s.Values([channels], 0.5f, 2f)), 1e-5f, held.ReadIfAny(s.Maybe([channels])), held.ReadIfAny(s.Maybe([channels])), s.Chance() ? Activation.Relu : Activation.None);

    static Shape InputOf(ConvGeometry g) => [g.Batch, g.Height, g.Width, g.InChannels];

    static Shape FilterOf(ConvGeometry g) => [3, 3, g.InChannels, g.OutChannels];

    static Shape OutputOf(ConvGeometry g) => [g.Batch, g.OutHeight, g.OutWidth, g.OutChannels];
}
