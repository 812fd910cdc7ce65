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

    /// <summary>The number of kernels of a step that the host launches one by one.</summary>
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
    /// <param name="refusal">The reason why the step was not recorded or has no graph, which makes it slow; null if it has a graph.</param>
    public double Recorded(out string? refusal)
    {
        using var step = new RecordedStep(device, Train);
        for (var i = 0; i < 3; i++) step.Run();
        refusal = step.IsRecorded ? device.GraphRefusal : step.Refusal ?? "it was not recorded";
        return Clock.Seconds(device, step.Run);
    }

    /// <summary>Seconds of an epoch as the trainer runs it: every image is cropped and flipped, and values are read. The evaluation after the epoch is not included.</summary>
    /// <param name="data">The images of an epoch.</param>
    /// <param name="onCard">Whether the card keeps the bytes and makes the batches; otherwise the host makes and sends them.</param>
    public double Epoch(ImageDataset data, bool onCard)
    {
        var trainer = new Trainer(network, data, data.Take(batch), new TrainerOptions { Epochs = 4, BatchSize = batch, LearningRate = 0.01f, Augmentation = "crop-flip" });
        trainer.Stepped += step =>
        {
            // Acts as if the card had no memory for the images.
            if (step.Step == 1 && !onCard) device.Pool.Reclaim();
        };
        trainer.Run();

        // The first epoch compiles kernels and moves the data, so it is not counted.
        return Statistics.Median([.. trainer.State.History.Skip(1).Select(epoch => data.Count / epoch.ExamplesPerSecond!.Value)]);
    }

    void Train()
    {
        using var logits = network.Forward(images);
        loss = Losses.CrossEntropy(logits, labels);
        loss.Backward();
        sgd.Step();
    }
}
