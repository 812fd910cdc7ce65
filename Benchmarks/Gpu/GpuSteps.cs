using System.Diagnostics;
using QuadEngine.Data;
using QuadEngine.Gpu;
using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Benchmarks.Gpu;

/// <summary>Whole training steps of ResNet-20, and an epoch of them.</summary>
sealed class GpuSteps
{
    readonly GpuDevice device;
    readonly int batch;
    readonly ResNet network;
    readonly Sgd sgd;
    readonly Tensor images;
    readonly IntTensor labels;
    Tensor? loss;

    public GpuSteps(GpuDevice device, int rank, int batch)
    {
        (this.device, this.batch) = (device, batch);
        network = ResNet.Cifar(20, 10, rank == 0 ? Neurons.Linear : Neurons.Quadratic(rank)).To(device);
        network.Train();
        sgd = new Sgd(network.ParameterGroups(), learningRate: 0.01f, momentum: 0.9f, weightDecay: 1e-4f);
        images = Tensor.Normal([batch, 32, 32, 3], generator: new Generator(1)).To(device);
        labels = IntTensor.FromArray([.. Enumerable.Range(0, batch).Select(i => i % 10)], device);
    }

    /// <summary>Kernels of a step, launched by the host one by one.</summary>
    public long Launches { get; private set; }

    /// <summary>Seconds of a step whose kernels the host launches.</summary>
    public double ByLaunches()
    {
        // The first step makes the optimizer's state.
        Train();
        var before = device.Launches;
        Train();
        Launches = device.Launches - before;
        return Clock.Seconds(device, Train);
    }

    /// <summary>Seconds of a step that was recorded, which CUDA runs as one graph.</summary>
    public double Recorded()
    {
        using var step = new RecordedStep(device, Train);
        for (var i = 0; i < 3; i++) step.Run();
        return Clock.Seconds(device, step.Run);
    }

    /// <summary>Seconds of an epoch of so many images that are cropped and flipped on the host while the card works, each read once.</summary>
    public double Epoch(int count)
    {
        var bytes = new byte[count * 32 * 32 * 3];
        new Random(1).NextBytes(bytes);
        var data = new ImageDataset("random", bytes, Enumerable.Range(0, count).Select(i => i % 10).ToArray(), [.. Enumerable.Range(0, 10).Select(i => $"class {i}")], 32, 32, 3);
        using var step = new RecordedStep(device, Train);
        for (var i = 0; i < 3; i++) step.Run();
        var start = Stopwatch.GetTimestamp();
        foreach (var next in data.Batches(batch, 1, 0, Augmentation.PadCropFlip, device: device))
        {
            using var owned = next;
            if (next.Images.Shape[0] != batch) continue;
            images.Assign(next.Images);
            labels.Assign(next.Labels);
            step.Run();
        }

        device.Synchronize();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    void Train()
    {
        using var logits = network.Forward(images);
        loss = Losses.CrossEntropy(logits, labels);
        loss.Backward();
        sgd.Step();
    }
}
