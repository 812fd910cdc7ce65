using QuadEngine.Layers;
using QuadEngine.Models;

namespace QuadEngine.Benchmarks;

/// <summary>The work of a measured step: a network with fixed images and labels.</summary>
public sealed class NetworkWork
{
    readonly Tensor images;
    readonly IntTensor labels;
    readonly Sgd sgd;

    /// <summary>A network for batches of the given size, with quadratic neurons of the given rank if it is a ResNet (0: linear neurons).</summary>
    public NetworkWork(NetworkShape shape, int rank, int batch, Device device)
    {
        Network = Make(shape, rank).To(device);
        images = Tensor.Normal([batch, Side(shape), Side(shape), NetworkPlan.Channels]).To(device);
        labels = IntTensor.FromArray([.. Enumerable.Range(0, batch).Select(i => i % 10)], device);
        sgd = new Sgd(Network.ParameterGroups(), learningRate: 0.01f, momentum: 0.9f, weightDecay: 1e-4f);
    }

    // Plans have linear neurons and no shortcut A.
    static Module Make(NetworkShape shape, int rank)
    {
        var neuron = rank == 0 ? Neurons.Linear : Neurons.Quadratic(rank);
        return shape switch
        {
            NetworkShape.ResNet20 => ResNet.Cifar(20, neuron: neuron),
            NetworkShape.ResNet18 when rank > 0 => ResNet.ImageNet(18, neuron: neuron),
            _ when rank == 0 => NetworkPlan.Of(shape).Make(),
            _ => throw new ArgumentException($"{nameof(NetworkWork)}: {shape} has linear neurons only; leave the rank out.", nameof(rank)),
        };
    }

    /// <summary>Height and width of its images.</summary>
    public static int Side(NetworkShape shape) => shape == NetworkShape.ResNet20 ? 32 : NetworkPlan.Of(shape).Side;

    /// <summary>The network.</summary>
    public Module Network { get; }

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
