namespace QuadEngine.Layers;

/// <summary>y = w x + b. Cost per neuron: n parameters, n multiply-adds.</summary>
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
        _ => throw new NotSupportedException($"{Name}: there is no layer over a {projection.GetType().Name}; use a DenseProjection or a ConvProjection."),
    };
}

sealed class LinearEntry() : NeuronEntry("linear", "w x + b")
{
    public override Neuron Make(Selection options) => Neurons.Linear;
}

/// <summary>Linear neurons, y = w x + b, over any projection.</summary>
public abstract class LinearNeuronLayer : NeuronLayer
{
    private protected LinearNeuronLayer(Projection projection, Neuron neuron, bool bias, Initializer? initializer) : base(neuron, projection)
    {
        Weight = Weights("weight", initializer ?? Initializers.KaimingNormal);
        Bias = Offset(bias);
    }

    /// <summary>The weights, [in, out] or [kH, kW, in, out].</summary>
    public Parameter Weight { get; }

    /// <summary>The bias, [out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x) => Projection.Apply(x, Weight, Bias);

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}{(Bias is null ? ", no bias" : "")})";
}

/// <summary>A dense layer of linear neurons: [..., in] to [..., out].</summary>
public sealed class Linear : LinearNeuronLayer
{
    /// <summary>A layer with new weights.</summary>
    /// <param name="inFeatures">in, the innermost axis of the input.</param>
    /// <param name="outFeatures">out, the innermost axis of the output.</param>
    /// <param name="bias">Whether every output has a learned offset; not needed if a batch norm follows.</param>
    /// <param name="initializer">Makes the first weights; null for <see cref="Initializers.KaimingNormal"/>.</param>
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
    /// <summary>A layer with new weights.</summary>
    /// <param name="inChannels">in, the number of channels of the input; a multiple of the groups.</param>
    /// <param name="outChannels">out, the number of channels of the output; a multiple of the groups.</param>
    /// <param name="kernelSize">The height and width of the window.</param>
    /// <param name="stride">The step of the window, 1 or more.</param>
    /// <param name="padding">The number of zeros added on every side.</param>
    /// <param name="dilation">The step within the window, 1 or more.</param>
    /// <param name="groups">The number of groups. The output channels of a group read only the input channels of that group.</param>
    /// <param name="bias">Whether every channel has a learned offset; not needed if a batch norm follows.</param>
    /// <param name="initializer">Makes the first weights; null for <see cref="Initializers.KaimingNormal"/>.</param>
    public Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true, Initializer? initializer = null)
        : this(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), Neurons.Linear, bias, initializer)
    {
    }

    internal Conv2d(ConvProjection projection, Neuron neuron, bool bias, Initializer? initializer = null) : base(projection, neuron, bias, initializer)
    {
    }
}
