namespace QuadEngine.Layers;

/// <summary>
/// A kind of neuron: a few linear projections w x and a point-wise combination of them, written once and used for dense and
/// convolutional layers alike. <see cref="Neurons"/> has the catalogue; <c>with { Recompute = true }</c> changes one.
/// </summary>
public abstract record Neuron
{
    /// <summary>The name that the tool and tables use, e.g. "quadratic".</summary>
    public abstract string Name { get; }

    /// <summary>The name with what sets it apart from others of its kind, e.g. "quadratic3".</summary>
    public virtual string Title => Name;

    /// <summary>
    /// Keep only the layer's input for backward and compute the projections a second time there: less memory for about a third
    /// more time. Worth it for neurons of several projections, each of which would else be kept.
    /// </summary>
    public bool Recompute { get; init; }

    /// <summary>The exact cost of a layer of these neurons, without the optional bias of one value a channel.</summary>
    /// <param name="inputs">n, the inputs of one neuron: <see cref="Projection.FanIn"/>.</param>
    /// <param name="channels">Output channels of the layer.</param>
    public abstract NeuronCost Cost(long inputs, int channels);

    /// <summary>A layer of these neurons over a projection.</summary>
    /// <param name="projection">How inputs meet weights.</param>
    /// <param name="bias">A learned offset for every channel; off where a batch norm follows.</param>
    public abstract Module Layer(Projection projection, bool bias = true);

    /// <summary>A dense layer: [..., in] to [..., out].</summary>
    /// <param name="inFeatures">in, the innermost axis of the input.</param>
    /// <param name="outFeatures">out, the innermost axis of the output.</param>
    /// <param name="bias">A learned offset for every output; off where a batch norm follows.</param>
    public Module Dense(int inFeatures, int outFeatures, bool bias = true) => Layer(new DenseProjection(inFeatures, outFeatures), bias);

    /// <summary>A convolution: [N, H, W, in] to [N, H', W', out].</summary>
    /// <param name="inChannels">in, channels of the input; the groups divide them.</param>
    /// <param name="outChannels">out, channels of the output; the groups divide them.</param>
    /// <param name="kernelSize">Height and width of the window.</param>
    /// <param name="stride">Step of the window, 1 or more.</param>
    /// <param name="padding">Zeros added on every side.</param>
    /// <param name="dilation">Step within the window, 1 or more.</param>
    /// <param name="groups">Number of groups; the output channels of a group read the input channels of that group alone.</param>
    /// <param name="bias">A learned offset for every channel; off where a batch norm follows.</param>
    public Module Conv2d(int inChannels, int outChannels, int kernelSize, int stride = 1, int padding = 0, int dilation = 1, int groups = 1, bool bias = true) =>
        Layer(new ConvProjection(inChannels, outChannels, kernelSize, stride, padding, dilation, groups), bias);

    /// <summary>What stands after the projection when a layer prints itself: ", rank 3", or nothing.</summary>
    protected internal virtual string Settings => "";
}

/// <summary>What a layer of neurons costs: learned values, and multiply-adds for one row of outputs (one pixel of a convolution).</summary>
/// <param name="Parameters">Learned values of all channels.</param>
/// <param name="MultiplyAdds">Of all channels, for one row of outputs.</param>
public readonly record struct NeuronCost(long Parameters, long MultiplyAdds);

/// <summary>A layer of neurons over any projection. One of your own registers its weights when it is made, and says its equation in <see cref="Evaluate"/>.</summary>
public abstract class NeuronLayer : Module
{
    /// <summary>A layer without weights yet.</summary>
    /// <param name="neuron">The kind of its neurons.</param>
    /// <param name="projection">How inputs meet weights.</param>
    protected NeuronLayer(Neuron neuron, Projection projection) => (Neuron, Projection) = (neuron, projection);

    /// <summary>The kind of its neurons.</summary>
    public Neuron Neuron { get; }

    /// <summary>How inputs meet weights.</summary>
    public Projection Projection { get; }

    /// <summary>The neurons' equation.</summary>
    /// <param name="x">What the layer reads: [..., in], or [N, H, W, in].</param>
    protected abstract Tensor Evaluate(Tensor x);

    /// <inheritdoc/>
    protected sealed override Tensor Compute(Tensor x) => Neuron.Recompute ? Recompute.Apply(Neuron.Name, x, [.. Parameters(), .. Constants()], Evaluate) : Evaluate(x);

    // Buffers of modules in inference are read; those in training only write theirs.
    IEnumerable<BufferTensor> Constants() => Modules().Where(entry => !entry.Module.Training).SelectMany(entry => entry.Module.NamedBuffers()).Select(entry => entry.Buffer).Distinct();

    /// <inheritdoc/>
    public override long MultiplyAdds(Shape input, Shape output) => output.Rows * Neuron.Cost(Projection.FanIn, Projection.OutChannels).MultiplyAdds;

    /// <inheritdoc/>
    protected override string Describe() => $"{GetType().Name}({Projection}{Neuron.Settings})";

    /// <summary>Registers the weights of linear projections.</summary>
    /// <param name="name">Of the parameter.</param>
    /// <param name="initializer">Draws the weights.</param>
    /// <param name="outputs">Number of projections; one for each output channel where null.</param>
    /// <param name="settings">How the optimizer treats them; as all weights where null.</param>
    protected Parameter Weights(string name, Initializer initializer, int? outputs = null, GroupSettings? settings = null) =>
        Register(name, new Parameter(initializer(Projection.WeightShape(outputs ?? Projection.OutChannels))) { Layout = FileLayout.OutputsFirst }, settings);

    /// <summary>Registers one value for each output channel.</summary>
    /// <param name="wanted">Where false, nothing is registered and the result is null.</param>
    /// <param name="name">Of the parameter.</param>
    /// <param name="start">What all values are at first.</param>
    /// <param name="settings">How the optimizer treats them; as all weights where null.</param>
    protected Parameter? Offset(bool wanted, string name = "bias", float start = 0f, GroupSettings? settings = null) =>
        wanted ? Register(name, new Parameter(Tensor.Full([Projection.OutChannels], start)), settings) : null;

    private protected static Tensor Add(Tensor y, Tensor? bias) => bias is null ? y : y + bias;
}
