namespace QuadEngine.Layers;

/// <summary>y = w x + b. Cost a neuron: n parameters, n multiply-adds.</summary>
public sealed record LinearNeuron : Neuron
{
    /// <inheritdoc/>
    public override string Name => "linear";

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels) => new(channels * inputs, channels * inputs);

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => projection switch
    {
        DenseProjection dense => new Linear(dense, this, bias),
        ConvProjection conv => new Conv2d(conv, this, bias),
        _ => throw new NotSupportedException($"{Name}: no layer over {projection.GetType().Name}."),
    };
}

/// <summary>Linear neurons, y = w x + b, over any projection.</summary>
public abstract class LinearNeuronLayer : NeuronLayer
{
    private protected LinearNeuronLayer(Projection projection, Neuron neuron, bool bias, Initializer? initializer) : base(neuron, projection)
    {
        Weight = Weights("weight", initializer ?? Initializers.KaimingNormal);
        Bias = Offset(bias);
    }

    /// <summary>[in, out], or [kH, kW, in, out].</summary>
    public Parameter Weight { get; }

    /// <summary>[out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x) => Projection.Apply(x, Weight, Bias);

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}{(Bias is null ? ", no bias" : "")})";
}

/// <summary>A dense layer of linear neurons: [..., in] to [..., out].</summary>
public sealed class Linear : LinearNeuronLayer
{
    /// <summary>A layer with weights as the initializer draws them; Kaiming's where none is given.</summary>
    public Linear(int inFeatures, int outFeatures, bool bias = true, Initializer? initializer = null)
        : this(new DenseProjection(inFeatures, outFeatures), Neurons.Linear, bias, initializer)
    {
    }

    internal Linear(DenseProjection projection, Neuron neuron, bool bias, Initializer? initializer = null) : base(projection, neuron, bias, initializer)
    {
    }
}

/// <summary>A convolution of linear neurons: [N, H, W, in] to [N, H', W', out].</summary>
public sealed class Conv2d : LinearNeuronLayer
{
    /// <summary>A layer with weights as the initializer draws them; Kaiming's where none is given.</summary>
    public Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true, Initializer? initializer = null)
        : this(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), Neurons.Linear, bias, initializer)
    {
    }

    internal Conv2d(ConvProjection projection, Neuron neuron, bool bias, Initializer? initializer = null) : base(projection, neuron, bias, initializer)
    {
    }
}
