namespace QuadEngine.Layers;

/// <summary>A kind of neuron: makes the dense and the convolutional layer that a network asks for.</summary>
public abstract record Neuron
{
    /// <summary>The name that the tool and tables use, e.g. "quadratic".</summary>
    public abstract string Name { get; }

    /// <summary>A layer of these neurons over a projection.</summary>
    public abstract Module Layer(Projection projection, bool bias);
}

/// <summary>The neurons by name.</summary>
public static class Neurons
{
    /// <summary>w x + b.</summary>
    public static Neuron Linear { get; } = new LinearNeuron();

    /// <summary>The efficient quadratic neuron of the given rank.</summary>
    public static Neuron Quadratic(int rank = 3, QuadraticOptions? options = null) => new QuadraticNeuronKind(rank, options ?? new QuadraticOptions());
}

sealed record LinearNeuron : Neuron
{
    public override string Name => "linear";

    public override Module Layer(Projection projection, bool bias) => projection switch
    {
        DenseProjection dense => new Linear(dense.InChannels, dense.OutChannels, bias),
        ConvProjection conv => new Conv2d(conv.InChannels, conv.OutChannels, conv.KernelSize, conv.Stride, conv.Padding, conv.Dilation, conv.Groups, bias),
        _ => throw new NotSupportedException($"{Name}: no layer over {projection.GetType().Name}."),
    };
}

sealed record QuadraticNeuronKind(int Rank, QuadraticOptions Options) : Neuron
{
    public override string Name => "quadratic";

    public override Module Layer(Projection projection, bool bias) => projection switch
    {
        DenseProjection dense => new QuadraticLinear(dense.InChannels, dense.OutChannels, Rank, bias, Options),
        ConvProjection conv => new QuadraticConv2d(conv.InChannels, conv.OutChannels, conv.KernelSize, Rank, conv.Stride, conv.Padding, conv.Dilation, conv.Groups, bias, Options),
        _ => throw new NotSupportedException($"{Name}: no layer over {projection.GetType().Name}."),
    };
}
