namespace QuadEngine.Layers;

/// <summary>Linear neurons, y = w x + b, over any projection.</summary>
public abstract class LinearNeuronLayer : Module
{
    private protected LinearNeuronLayer(Projection projection, bool bias, Initializer? initializer)
    {
        Projection = projection;
        Weight = Register("weight", new Parameter((initializer ?? Initializers.KaimingNormal)(projection.WeightShape(projection.OutChannels))));
        Bias = bias ? Register("bias", new Parameter(Tensor.Zeros([projection.OutChannels]))) : null;
    }

    /// <summary>How inputs meet weights.</summary>
    public Projection Projection { get; }

    /// <summary>[in, out], or [kH, kW, in, out].</summary>
    public Parameter Weight { get; }

    /// <summary>[out], or null.</summary>
    public Parameter? Bias { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => Projection.Apply(x, Weight, Bias);

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => (long)output.Length * Projection.FanIn;

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}{(Bias is null ? ", no bias" : "")})";
}

/// <summary>A dense layer of linear neurons: [..., in] to [..., out].</summary>
public sealed class Linear(int inFeatures, int outFeatures, bool bias = true, Initializer? initializer = null)
    : LinearNeuronLayer(new DenseProjection(inFeatures, outFeatures), bias, initializer);

/// <summary>A convolution of linear neurons: [N, H, W, in] to [N, H', W', out].</summary>
public sealed class Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true, Initializer? initializer = null)
    : LinearNeuronLayer(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), bias, initializer);
