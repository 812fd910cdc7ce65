namespace QuadEngine.Layers;

/// <summary>
/// A kind of neuron: a few linear projections w x and a point-wise combination of them, written once and used for dense and
/// convolutional layers alike. <see cref="Neurons"/> lists all kinds; <c>with { Recompute = true }</c> changes a setting.
/// </summary>
public abstract record Neuron
{
    /// <summary>The name in the tool and in tables, e.g. "quadratic".</summary>
    public abstract string Name { get; }

    /// <summary>The name with the setting that distinguishes it from others of its kind, e.g. "quadratic3".</summary>
    public virtual string Title => Name;

    /// <summary>
    /// Whether only the layer's input is kept for backward, which then computes the projections a second time. This takes less memory and about a third
    /// more time. It is for neurons with several projections, because each projection would otherwise be kept.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary>Returns the exact cost of a layer of these neurons, without the optional bias of one value per channel.</summary>
    /// <param name="inputs">n, the number of inputs of one neuron: <see cref="Projection.FanIn"/>.</param>
    /// <param name="channels">The number of output channels of the layer.</param>
    public abstract NeuronCost Cost(long inputs, int channels);

    /// <summary>Makes a layer of these neurons over a projection.</summary>
    /// <param name="projection">How the weights apply to the inputs.</param>
    /// <param name="bias">Whether every channel has a learned offset; not needed if a batch norm follows.</param>
    public abstract Module Layer(Projection projection, bool bias = true);

    /// <summary>Makes a dense layer: [..., in] to [..., out].</summary>
    /// <param name="inFeatures">in, the innermost axis of the input.</param>
    /// <param name="outFeatures">out, the innermost axis of the output.</param>
    /// <param name="bias">Whether every output has a learned offset; not needed if a batch norm follows.</param>
    public Module Dense(int inFeatures, int outFeatures, bool bias = true) => Layer(new DenseProjection(inFeatures, outFeatures), bias);

    /// <summary>Makes a convolution: [N, H, W, in] to [N, H', W', out].</summary>
    /// <param name="inChannels">in, the number of channels of the input; a multiple of the groups.</param>
    /// <param name="outChannels">out, the number of channels of the output; a multiple of the groups.</param>
    /// <param name="kernelSize">The height and width of the window.</param>
    /// <param name="stride">The step of the window, 1 or more.</param>
    /// <param name="padding">The number of zeros added on every side.</param>
    /// <param name="dilation">The step within the window, 1 or more.</param>
    /// <param name="groups">The number of groups. The output channels of a group read only the input channels of that group.</param>
    /// <param name="bias">Whether every channel has a learned offset; not needed if a batch norm follows.</param>
    public Module Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true) =>
        Layer(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), bias);

    /// <summary>The text after the projection when a layer prints itself: ", rank 3", or nothing.</summary>
    protected internal virtual string Settings => "";
}

/// <summary>The cost of a layer of neurons: learned values, and multiply-adds for one row of outputs (one pixel of a convolution).</summary>
/// <param name="Parameters">The number of learned values of all channels.</param>
/// <param name="MultiplyAdds">The number of multiply-adds of all channels, for one row of outputs.</param>
public readonly record struct NeuronCost(long Parameters, long MultiplyAdds);

/// <summary>A layer of neurons over any projection. A derived class registers its weights in its constructor, and defines its equation in <see cref="Evaluate"/>.</summary>
public abstract class NeuronLayer : Module
{
    /// <summary>Makes a layer that has no weights yet.</summary>
    /// <param name="neuron">The kind of neuron.</param>
    /// <param name="projection">How the weights apply to the inputs.</param>
    protected NeuronLayer(Neuron neuron, Projection projection) => (Neuron, Projection) = (neuron, projection);

    /// <summary>The kind of neuron.</summary>
    public Neuron Neuron { get; }

    /// <summary>How the weights apply to the inputs.</summary>
    public Projection Projection { get; }

    /// <summary>Computes the neurons' equation.</summary>
    /// <param name="x">The input of the layer: [..., in], or [N, H, W, in].</param>
    protected abstract Tensor Evaluate(Tensor x);

    /// <inheritdoc/>
    protected sealed override Tensor Compute(Tensor x) => Neuron.Recompute ? Recompute.Apply(Neuron.Name, x, [.. Parameters(), .. Constants()], Evaluate) : Evaluate(x);

    // Modules in inference read their buffers; modules in training only write them.
    IEnumerable<BufferTensor> Constants() => Modules().Where(entry => !entry.Module.Training).SelectMany(entry => entry.Module.NamedBuffers()).Select(entry => entry.Buffer).Distinct();

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => output.Rows * Neuron.Cost(Projection.FanIn, Projection.OutChannels).MultiplyAdds;

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}{Neuron.Settings})";

    /// <summary>Registers the weights of linear projections.</summary>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="initializer">Makes the first weights.</param>
    /// <param name="outputs">The number of projections; null for one per output channel.</param>
    /// <param name="settings">The optimizer's settings for them; null for those of all weights.</param>
    protected Parameter Weights(string name, Initializer initializer, int? outputs = null, GroupSettings? settings = null) =>
        Register(name, new Parameter(initializer(Projection.WeightShape(outputs ?? Projection.OutChannels))) { Layout = FileLayout.OutputsFirst }, settings);

    /// <summary>Registers one value for each output channel.</summary>
    /// <param name="wanted">Whether to register it; if false, the result is null.</param>
    /// <param name="name">The name of the parameter.</param>
    /// <param name="start">The first value of all elements.</param>
    /// <param name="settings">The optimizer's settings for it; null for those of all weights.</param>
    protected Parameter? Offset(bool wanted, string name = "bias", float start = 0f, GroupSettings? settings = null) =>
        wanted ? Register(name, new Parameter(Tensor.Full([Projection.OutChannels], start)), settings) : null;

    private protected static Tensor Add(Tensor y, Tensor? bias) => bias is null ? y : y + bias;
}
