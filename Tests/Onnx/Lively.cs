using QuadEngine.Layers;

namespace QuadEngine.Tests.Onnx;

/// <summary>Makes networks like those after training: no parameter has its neutral initial value, so that a test notices a forgotten parameter.</summary>
static class Lively
{
    /// <summary>Draws new vectors of parameters, and takes the statistics of batch norms from the inputs if they are given.</summary>
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

    // After a start at zero, one step with momentum 0.1 gives a tenth of the batch's statistics.
    static void TakeStatistics(Module network, Tensor inputs)
    {
        foreach (var (_, buffer) in network.NamedBuffers()) buffer.Assign(Tensor.Zeros(buffer.Shape));
        network.Train().Forward(inputs);
        foreach (var (_, buffer) in network.NamedBuffers()) buffer.Assign(buffer * 10f);
    }
}
