using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Benchmarks;

/// <summary>The networks whose whole steps are measured.</summary>
public enum NetworkShape
{
    /// <summary>ResNet-20 on images of 32x32x3, ten classes.</summary>
    ResNet20,

    /// <summary>ResNet-18 on images of 224x224x3, a thousand classes.</summary>
    ResNet18,
}

/// <summary>The work of a measured step: a network with fixed images and labels.</summary>
public sealed class ResNetWork
{
    readonly Tensor images;
    readonly IntTensor labels;
    readonly Sgd sgd;

    /// <summary>A network of quadratic neurons of the given rank (0: linear neurons) for batches of the given size.</summary>
    public ResNetWork(NetworkShape shape, int rank, int batch, Device device)
    {
        var neuron = rank == 0 ? Neurons.Linear : Neurons.Quadratic(rank);
        Network = (shape == NetworkShape.ResNet20 ? ResNet.Cifar(20, neuron: neuron) : ResNet.ImageNet(18, neuron: neuron)).To(device);
        images = Tensor.Normal([batch, Side(shape), Side(shape), 3]).To(device);
        labels = IntTensor.FromArray([.. Enumerable.Range(0, batch).Select(i => i % Network.Options.Classes)], device);
        sgd = new Sgd(Network.ParameterGroups(), learningRate: 0.01f, momentum: 0.9f, weightDecay: 1e-4f);
    }

    /// <summary>Height and width of its images.</summary>
    public static int Side(NetworkShape shape) => shape == NetworkShape.ResNet20 ? 32 : 224;

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
