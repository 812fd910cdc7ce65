using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// The efficient quadratic neuron (Chen et al., arXiv 2306.07294): f = Q^T x, y = w x + b + s sum_i lambda_i f_i^2, output [y, f].
/// Cost a neuron: (k + 1) n + k parameters, (k + 1) n + 2k multiply-adds, for k + 1 channels.
/// </summary>
/// <param name="Rank">k.</param>
/// <param name="Options">How it starts and learns.</param>
public sealed record QuadraticNeuronKind(int Rank, QuadraticOptions Options) : Neuron
{
    /// <inheritdoc/>
    public override string Name => "quadratic";

    /// <inheritdoc/>
    public override string Title => $"{Name}{Rank}";

    /// <inheritdoc/>
    protected internal override string Settings => $", rank {Rank}";

    /// <summary>How neurons share the channels that a layer projects to: those it puts out, or all [y, f] of which it puts out y.</summary>
    /// <param name="channels">Output channels of the layer.</param>
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
        _ => throw new NotSupportedException($"{Name}: no layer over {projection.GetType().Name}."),
    };
}

sealed class QuadraticEntry() : NeuronEntry("quadratic", "[w x + b + s sum_i lambda_i f_i^2, f], f = Q^T x (Chen et al. 2023)")
{
    static readonly QuadraticOptions usual = new();
    static readonly EntryOption<int> rank = EntryOption.Number("rank", "k, the number of f of a neuron", 3, 1, 1024);
    static readonly EntryOption<float> rate = EntryOption.Number("lambda-learning-rate", "Multiplies the learning rate of Lambda", usual.LambdaLearningRate, 0f, 1e6f);
    static readonly EntryOption<float?> decay = EntryOption.OptionalNumber("lambda-weight-decay", "Weight decay of Lambda", "as the other weights", 0f, 100f);
    static readonly EntryOption<float> deviation = EntryOption.Number("lambda-deviation", "Lambda starts with normal numbers of this deviation; at 0 the network starts linear", usual.LambdaDeviation, 0f, 100f);
    static readonly EntryOption<Basis> basis = EntryOption.Word("basis", "What keeps Q orthonormal", usual.Basis);
    static readonly EntryOption<Retraction> retraction = EntryOption.Word("retraction", "How Q is put back to orthonormal where the basis is retracted", usual.Retraction);
    static readonly EntryOption<float> penalty = EntryOption.Number("penalty", "Weight of |Q^T Q - I|^2 in the loss where the basis is penalized", usual.Penalty, 0f, 1e6f);
    static readonly EntryOption<bool> unnormalized = EntryOption.Flag("unnormalized", "s = 1 instead of 1/k");
    static readonly EntryOption<bool> detached = EntryOption.Flag("detached", "No gradient of y passes through f");
    static readonly EntryOption<bool> alone = EntryOption.Flag("y-alone", "Put out y alone, and no f");

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
/// Efficient quadratic neurons of rank k over any projection. One linear projection to all channels, then the point-wise
/// <see cref="Tensor.QuadraticNeuron"/>. With Lambda = 0 the layer is the linear layer, bit for bit.
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

    /// <summary>[in, channels] or [kH, kW, in, channels]: neuron after neuron, w then the k columns of Q.</summary>
    public Parameter Weight { get; }

    /// <summary>[channels], or null: b, and an offset for each f as a linear neuron has it.</summary>
    public Parameter? Bias { get; }

    /// <summary>[coefficients], neuron after neuron.</summary>
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
    /// <param name="rank">k, 0 (linear) or more; no more than a neuron has inputs where the basis is retracted.</param>
    /// <param name="bias">A learned offset for every output; off where a batch norm follows.</param>
    /// <param name="options">How the neurons start and learn; the defaults where null.</param>
    /// <param name="initializer">Draws w and Q; <see cref="Initializers.KaimingNormal"/> where null.</param>
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
    /// <param name="inChannels">in, channels of the input; the groups divide them.</param>
    /// <param name="outChannels">out, channels of the output; the groups divide them.</param>
    /// <param name="kernelSize">Height and width of the window.</param>
    /// <param name="rank">k, 0 (linear) or more; no more than a neuron has inputs where the basis is retracted.</param>
    /// <param name="stride">Step of the window, 1 or more.</param>
    /// <param name="padding">Zeros added on every side.</param>
    /// <param name="dilation">Step within the window, 1 or more.</param>
    /// <param name="groups">Number of groups; the output channels of a group read the input channels of that group alone.</param>
    /// <param name="bias">A learned offset for every channel; off where a batch norm follows.</param>
    /// <param name="options">How the neurons start and learn; the defaults where null.</param>
    /// <param name="initializer">Draws w and Q; <see cref="Initializers.KaimingNormal"/> where null.</param>
    public QuadraticConv2d(int inChannels, int outChannels, int kernelSize, int rank, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true,
        QuadraticOptions? options = null, Initializer? initializer = null)
        : this(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), new QuadraticNeuronKind(rank, options ?? new()), bias, initializer)
    {
    }

    internal QuadraticConv2d(ConvProjection projection, QuadraticNeuronKind neuron, bool bias, Initializer? initializer = null) : base(projection, neuron, bias, initializer)
    {
    }
}
