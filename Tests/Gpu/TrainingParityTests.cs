using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Tests.Gpu;

/// <summary>Training through the whole stack gives the same results on a GPU device as on the CPU.</summary>
public class TrainingParityTests
{
    [TestCase(0)]
    [TestCase(3)]
    public void A_resnet_learns_the_same_on_opencl(int rank)
    {
        var device = TestDevices.OpenCl;
        var (expected, got) = (Losses(rank, Device.Cpu), Losses(rank, device));
        Assert.That(got, Is.EqualTo(expected).Within(0.2).Percent);
        Assert.That(expected[^1], Is.LessThan(expected[0]), "it learns");
    }

    /// <summary>Returns the losses of the first steps; rank 0 is the linear network.</summary>
    internal static float[] Losses(int rank, Device device, int steps = 6)
    {
        const int Batch = 8, Side = 16, Classes = 4;
        Generator.Default = new Generator(5);
        var net = ResNet.Cifar(depth: 8, classes: Classes, neuron: rank == 0 ? null : Layers.Neurons.Quadratic(rank), width: 8);
        net.MoveTo(device);
        var sgd = new Sgd(net.ParameterGroups(), learningRate: 0.05f, momentum: 0.9f, weightDecay: 1e-4f);
        using var images = Tensor.Normal([Batch, Side, Side, 3], generator: new Generator(9)).To(device);
        using var labels = IntTensor.FromArray([.. Enumerable.Range(0, Batch).Select(i => i % Classes)], device);
        var losses = new float[steps];
        var settled = 0L;
        for (var step = 0; step < steps; step++)
        {
            using var loss = QuadEngine.Losses.CrossEntropy(net.Forward(images), labels);
            loss.Backward();
            sgd.Step();
            losses[step] = loss.Item();
            if (step == 2) settled = device.Pool.Statistics.Reserved;
        }

        Assert.That(device.Pool.Statistics.Reserved, Is.LessThanOrEqualTo(settled * 1.05), "a step finds the memory of the step before");

        return losses;
    }
}
