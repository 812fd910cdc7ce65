using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// The efficient quadratic neuron (Chen et al., arXiv 2306.07294): f = Q^T x, y = w x + b + s sum_i lambda_i f_i^2, output [y, f].
/// Cost per neuron: (k + 1) n + k parameters, (k + 1) n + 2k multiply-adds, for k + 1 channels.
/// </summary>
/// <param name="Rank">The rank k.</param>
/// <param name="Options">How the neuron starts and learns.</param>
public sealed record QuadraticNeuronKind(int Rank, QuadraticOptions Options) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "quadratic";

    /// <inheritdoc/>
    public override string Title => $"{Name}{Rank}";

    /// <inheritdoc/>
    protected internal override string Settings => $", rank {Rank}";

    /// <summary>How neurons share the channels that a layer computes. These are its output channels or, if it outputs only y, all channels [y, f].</summary>
    /// <param name="channels">The number of output channels of the layer.</param>
    public NeuronLayout Layout(int channels) => new(Options.Vectorized ? channels : channels * (Rank + 1), Rank);

    /// <inheritdoc/>
    public override NeuronCost Cost(long inputs, int channels)
    {
        var layout = Layout(channels);
        return new(layout.Channels * inputs + layout.Coefficients, layout.Channels * inputs + 2 * layout.Coefficients);
    }

    /// <inheritdoc/>
    public override Module Layer(Projection projection, bool bias = true) => projection switch
    {
        DenseProjection dense => new QuadraticLinear(dense, this, bias),
        ConvProjection conv => new QuadraticConv2d(conv, this, bias),
        _ => throw new NotSupportedException($"{Name}: there is no layer over a {projection.GetType().Name}; use a DenseProjection or a ConvProjection."),
    };
}

sealed class QuadraticEntry() : NeuronEntry("quadratic", "[w x + b + s sum_i lambda_i f_i^2, f], f = Q^T x (Chen et al. 2023)")
{
    static readonly QuadraticOptions usual = new();
    static readonly EntryOption<int> rank = EntryOption.Number("rank", "The rank k, the number of f of a neuron", 3, 1, 1024);
    static readonly EntryOption<float> rate = EntryOption.Number("lambda-learning-rate", "The factor for the learning rate of Lambda", usual.LambdaLearningRate, 0f, 1e6f);
    static readonly EntryOption<float?> decay = EntryOption.OptionalNumber("lambda-weight-decay", "The weight decay of Lambda", "as the other weights", 0f, 100f);
    static readonly EntryOption<float> deviation = EntryOption.Number("lambda-deviation", "The deviation of the normal numbers that Lambda starts with; at 0 the network starts linear", usual.LambdaDeviation, 0f, 100f);
    static readonly EntryOption<Basis> basis = EntryOption.Word("basis", "What keeps Q orthonormal", usual.Basis);
    static readonly EntryOption<Retraction> retraction = EntryOption.Word("retraction", "How Q is made orthonormal again if the basis is retracted", usual.Retraction);
    static readonly EntryOption<float> penalty = EntryOption.Number("penalty", "The weight of |Q^T Q - I|^2 in the loss if the basis is penalized", usual.Penalty, 0f, 1e6f);
    static readonly EntryOption<bool> unnormalized = EntryOption.Flag("unnormalized", "s = 1 instead of 1/k");
    static readonly EntryOption<bool> detached = EntryOption.Flag("detached", "No gradient of y passes through f");
    static readonly EntryOption<bool> alone = EntryOption.Flag("y-alone", "Output only y, without f");

    public override IReadOnlyList<EntryOption> Options => [rank, rate, decay, deviation, basis, retraction, penalty, unnormalized, detached, alone];

    public override Neuron Make(Selection options) => Neurons.Quadratic(options.Get(rank), new QuadraticOptions
    {
        LambdaLearningRate = options.Get(rate),
        LambdaWeightDecay = options.Get(decay),
        LambdaDeviation = options.Get(deviation),
        Basis = options.Get(basis),
        Retraction = options.Get(retraction),
        Penalty = options.Get(penalty),
        Normalized = !options.Get(unnormalized),
        Detached = options.Get(detached),
        Vectorized = !options.Get(alone),
    });
}

/// <summary>
/// Efficient quadratic neurons of rank k over any projection: one linear projection to all channels, then the point-wise
/// <see cref="Tensor.QuadraticNeuron"/>. With Lambda = 0 the layer has the bits of the linear layer.
/// </summary>
public abstract class QuadraticNeuronLayer : NeuronLayer
{
    private protected QuadraticNeuronLayer(Projection projection, QuadraticNeuronKind neuron, bool bias, Initializer? initializer) : base(neuron, projection)
    {
        Options = neuron.Options;
        Layout = neuron.Layout(projection.OutChannels);
        var retracted = Options.Basis == Basis.Retracted;
        Check.That(!retracted || neuron.Rank <= projection.FanIn, GetType().Name,
            $"{neuron.Rank} directions in {projection.FanIn} inputs cannot be orthonormal; use a rank of at most {projection.FanIn}, or another Basis.");

        Weight = Weights("weight", initializer ?? Initializers.KaimingNormal, Layout.Channels);
        Weight.Constraint = Options.Basis == Basis.Free || Layout.Coefficients == 0 ? null : new OrthonormalBasis(Layout, Options);
        Bias = bias ? Register("bias", new Parameter(Tensor.Zeros([Layout.Channels]))) : null;
        Lambda = Register("lambda", new Parameter(Options.LambdaDeviation == 0f
                ? Tensor.Zeros([Layout.Coefficients])
                : Tensor.Normal([Layout.Coefficients], 0f, Options.LambdaDeviation)),
            new GroupSettings("lambda", Options.LambdaLearningRate, Options.LambdaWeightDecay));
        Weight.Constraint?.Retract(Weight);
    }

    /// <summary>How the neurons start and learn.</summary>
    public QuadraticOptions Options { get; }

    /// <summary>How the neurons share the projected channels.</summary>
    public NeuronLayout Layout { get; }

    /// <summary>The weights, [in, channels] or [kH, kW, in, channels]: for each neuron, w and then the k columns of Q.</summary>
    public Parameter Weight { get; }

    /// <summary>The bias, [channels], or null: b, and for each f an offset as in a linear neuron.</summary>
    public Parameter? Bias { get; }

    /// <summary>The coefficients Lambda, [coefficients], neuron after neuron.</summary>
    public Parameter Lambda { get; }

    /// <inheritdoc/>
    protected override Tensor Evaluate(Tensor x)
    {
        var y = Projection.Apply(x, Weight, Bias).QuadraticNeuron(Lambda, Layout, Options.Normalized, Options.Detached);
        return Options.Vectorized ? y : y.Subsample(-1, Layout.Stride);
    }

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}{Neuron.Settings}{(Bias is null ? ", no bias" : "")})";
}

/// <summary>A dense layer of quadratic neurons: [..., in] to [..., out].</summary>
public sealed class QuadraticLinear : QuadraticNeuronLayer
{
    /// <summary>A layer of neurons of the given rank.</summary>
    /// <param name="inFeatures">in, the innermost axis of the input.</param>
    /// <param name="outFeatures">out, the innermost axis of the output.</param>
    /// <param name="rank">The rank k, 0 (linear) or more; if the basis is retracted, at most the number of inputs of a neuron.</param>
    /// <param name="bias">Whether every output has a learned offset; not needed if a batch norm follows.</param>
    /// <param name="options">How the neurons start and learn; null for the defaults.</param>
    /// <param name="initializer">Makes the first w and Q; null for <see cref="Initializers.KaimingNormal"/>.</param>
    public QuadraticLinear(int inFeatures, int outFeatures, int rank, bool bias = true, QuadraticOptions? options = null, Initializer? initializer = null)
        : this(new DenseProjection(inFeatures, outFeatures), new QuadraticNeuronKind(rank, options ?? new()), bias, initializer)
    {
    }

    internal QuadraticLinear(DenseProjection projection, QuadraticNeuronKind neuron, bool bias, Initializer? initializer = null) : base(projection, neuron, bias, initializer)
    {
    }
}

/// <summary>A convolution of quadratic neurons: [N, H, W, in] to [N, H', W', out].</summary>
public sealed class QuadraticConv2d : QuadraticNeuronLayer
{
    /// <summary>A layer of neurons of the given rank.</summary>
    /// <param name="inChannels">in, the number of channels of the input; a multiple of the groups.</param>
    /// <param name="outChannels">out, the number of channels of the output; a multiple of the groups.</param>
    /// <param name="kernelSize">The height and width of the window.</param>
    /// <param name="rank">The rank k, 0 (linear) or more; if the basis is retracted, at most the number of inputs of a neuron.</param>
    /// <param name="stride">The step of the window, 1 or more.</param>
    /// <param name="padding">The number of zeros added on every side.</param>
    /// <param name="dilation">The step within the window, 1 or more.</param>
    /// <param name="groups">The number of groups. The output channels of a group read only the input channels of that group.</param>
    /// <param name="bias">Whether every channel has a learned offset; not needed if a batch norm follows.</param>
    /// <param name="options">How the neurons start and learn; null for the defaults.</param>
    /// <param name="initializer">Makes the first w and Q; null for <see cref="Initializers.KaimingNormal"/>.</param>
    public QuadraticConv2d(int inChannels, int outChannels, int kernelSize, int rank, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true,
        QuadraticOptions? options = null, Initializer? initializer = null)
        : this(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), new QuadraticNeuronKind(rank, options ?? new()), bias, initializer)
    {
    }

    internal QuadraticConv2d(ConvProjection projection, QuadraticNeuronKind neuron, bool bias, Initializer? initializer = null) : base(projection, neuron, bias, initializer)
    {
    }
}
