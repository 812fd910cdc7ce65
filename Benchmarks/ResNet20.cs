using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Benchmarks;

/// <summary>The work that whole steps are measured by: ResNet-20 on CIFAR's shape, images and labels fixed.</summary>
public sealed class ResNet20
{
    const int Classes = 10;

    readonly Tensor images;
    readonly IntTensor labels;
    readonly Sgd sgd;

    /// <summary>A network of quadratic neurons of the given rank (0: linear ones) for batches of the given size.</summary>
    public ResNet20(int rank, int batch, Device device)
    {
        Network = ResNet.Cifar(20, Classes, rank == 0 ? Neurons.Linear : Neurons.Quadratic(rank)).To(device);
        images = Tensor.Normal([batch, 32, 32, 3]).To(device);
        labels = IntTensor.FromArray([.. Enumerable.Range(0, batch).Select(i => i % Classes)], device);
        sgd = new Sgd(Network.ParameterGroups(), learningRate: 0.01f, momentum: 0.9f, weightDecay: 1e-4f);
    }

    /// <summary>The network.</summary>
    public ResNet Network { get; }

    /// <summary>Forward, loss, backward, SGD with momentum and weight decay. Returns the loss.</summary>
    public float Train()
    {
        Network.Train();
        using var logits = Network.Forward(images);
        using var loss = Losses.CrossEntropy(logits, labels);
        loss.Backward();
        sgd.Step();
        return loss.Item();
    }

    /// <summary>Forward with running statistics and without a graph. Returns the first logit.</summary>
    public float Infer()
    {
        Network.Eval();
        using var noGrad = new NoGrad();
        using var logits = Network.Forward(images);
        return logits.ToArray()[0];
    }
}
