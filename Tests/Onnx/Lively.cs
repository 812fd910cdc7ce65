using QuadEngine.Layers;

namespace QuadEngine.Tests.Onnx;

/// <summary>Networks as training leaves them: no parameter is at the neutral value that it starts with, so that none can be forgotten unseen.</summary>
static class Lively
{
    /// <summary>Draws vectors of parameters anew, and takes the statistics of batch norms from some inputs where there are any.</summary>
    public static T Awaken<T>(this T network, Tensor? inputs = null) where T : Module
    {
        var generator = new Generator(1);
        using var noGrad = new NoGrad();
        using var scope = new TensorScope();
        foreach (var (path, parameter) in network.NamedParameters())
            if (parameter.Rank == 1) parameter.Assign(Tensor.Uniform(parameter.Shape, 0.4f, 1.2f, generator) * (path.EndsWith("weight", StringComparison.Ordinal) ? 1f : 0.2f));
        foreach (var (path, buffer) in network.NamedBuffers())
            buffer.Assign(path.EndsWith("running_var", StringComparison.Ordinal) ? Tensor.Uniform(buffer.Shape, 0.5f, 2f, generator) : Tensor.Uniform(buffer.Shape, -0.3f, 0.3f, generator));
        if (inputs is not null) TakeStatistics(network, inputs);
        return network;
    }

    // From zeros, one step of momentum 0.1 is a tenth of the batch's statistics.
    static void TakeStatistics(Module network, Tensor inputs)
    {
        foreach (var (_, buffer) in network.NamedBuffers()) buffer.Assign(Tensor.Zeros(buffer.Shape));
        network.Train().Forward(inputs);
        foreach (var (_, buffer) in network.NamedBuffers()) buffer.Assign(buffer * 10f);
    }
}
