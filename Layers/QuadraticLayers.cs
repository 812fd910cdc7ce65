using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>How quadratic neurons start and learn. Each property is one of the paper's stability techniques, or its absence.</summary>
public sealed record QuadraticOptions
{
    /// <summary>s = 1/k, so that the quadratic part does not grow with the rank; else s = 1.</summary>
    public bool Normalised { get; init; } = true;

    /// <summary>Deviation of the normal numbers that Lambda starts with; 0 starts the network exactly linear.</summary>
    public float LambdaDeviation { get; init; }

    /// <summary>Multiplies the learning rate of Lambda: small values let the linear part settle first.</summary>
    public float LambdaLearningRate { get; init; } = 0.1f;

    /// <summary>Weight decay of Lambda; null for the optimizer's.</summary>
    public float? LambdaWeightDecay { get; init; }

    /// <summary>The gradient of y does not pass through f: f learns only as k linear neurons.</summary>
    public bool Detached { get; init; }
}

/// <summary>
/// Efficient quadratic neurons of rank k (Chen et al., arXiv 2306.07294) over any projection: f = Q^T x,
/// y = w x + b + s sum_i lambda_i f_i^2, output [y, f_1..f_k] neuron after neuron. One linear projection to all channels, then
/// the point-wise <see cref="QuadraticNeuron"/>. With Lambda = 0 the layer is the linear layer, bit for bit.
/// </summary>
public abstract class QuadraticNeuronLayer : Module
{
    readonly QuadraticOptions options;

    private protected QuadraticNeuronLayer(Projection projection, int rank, bool bias, QuadraticOptions? options, Initializer? initializer)
    {
        this.options = options ?? new QuadraticOptions();
        Projection = projection;
        Layout = new NeuronLayout(projection.OutChannels, rank);
        Weight = Register("weight", new Parameter((initializer ?? Initializers.KaimingNormal)(projection.WeightShape(projection.OutChannels))));
        Bias = bias ? Register("bias", new Parameter(Tensor.Zeros([projection.OutChannels]))) : null;
        Lambda = Register("lambda", new Parameter(this.options.LambdaDeviation == 0f
                ? Tensor.Zeros([Layout.Coefficients])
                : Tensor.Normal([Layout.Coefficients], 0f, this.options.LambdaDeviation)),
            new GroupSettings("lambda", this.options.LambdaLearningRate, this.options.LambdaWeightDecay));
    }

    /// <summary>How inputs meet weights.</summary>
    public Projection Projection { get; }

    /// <summary>How the neurons share the channels.</summary>
    public NeuronLayout Layout { get; }

    /// <summary>[in, out] or [kH, kW, in, out]: neuron after neuron, w then the k columns of Q.</summary>
    public Parameter Weight { get; }

    /// <summary>[out], or null: b, and an offset for each f as a linear neuron has it.</summary>
    public Parameter? Bias { get; }

    /// <summary>[coefficients], neuron after neuron.</summary>
    public Parameter Lambda { get; }

    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) =>
        QuadraticNeuron.Apply(Projection.Apply(x, Weight, Bias), Lambda, Layout, options.Normalised, options.Detached);

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => (long)output.Length * Projection.FanIn + 2L * output.Rows * Layout.Coefficients;

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}, rank {Layout.Rank}{(Bias is null ? ", no bias" : "")})";
}

/// <summary>A dense layer of quadratic neurons: [..., in] to [..., out].</summary>
public sealed class QuadraticLinear(int inFeatures, int outFeatures, int rank, bool bias = true, QuadraticOptions? options = null, Initializer? initializer = null)
    : QuadraticNeuronLayer(new DenseProjection(inFeatures, outFeatures), rank, bias, options, initializer);

/// <summary>A convolution of quadratic neurons: [N, H, W, in] to [N, H', W', out].</summary>
public sealed class QuadraticConv2d(int inChannels, int outChannels, int kernelSize, int rank, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true,
    QuadraticOptions? options = null, Initializer? initializer = null)
    : QuadraticNeuronLayer(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), rank, bias, options, initializer);
