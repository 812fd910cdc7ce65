using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// How the weights of a neuron apply to its inputs: densely, or over the receptive field of a convolution. A neuron is written once, in
/// terms of projections w x, and serves both.
/// </summary>
/// <param name="InChannels">in, the number of features of a row, or of channels of the images.</param>
/// <param name="OutChannels">out, the number of channels of the layer.</param>
public abstract record Projection(int InChannels, int OutChannels)
{
    /// <summary>n, the number of inputs of one neuron.</summary>
    public abstract int FanIn { get; }

    /// <summary>The shape of the weights of a number of linear neurons.</summary>
    /// <param name="outputs">The number of linear neurons: <see cref="OutChannels"/>, or more if a neuron uses several projections.</param>
    public abstract Shape WeightShape(int outputs);

    /// <summary>Computes w x + b for every neuron.</summary>
    /// <param name="x">The input of the layer.</param>
    /// <param name="weight">The weights, of a <see cref="WeightShape"/>.</param>
    /// <param name="bias">The offsets, [outputs], or null.</param>
    public abstract Tensor Apply(Tensor x, Tensor weight, Tensor? bias);

    /// <summary>Lays out the inputs of each neuron, [rows of the output..., n], for neurons that are not sums of projections.</summary>
    /// <param name="x">The input of the layer.</param>
    public abstract Tensor Inputs(Tensor x);

    /// <summary>The projection as text: "16 -> 32, 3x3, stride 2".</summary>
    public abstract override string ToString();
}

/// <summary>Each neuron reads all features: [..., in] to [..., out].</summary>
/// <param name="InChannels">in, the innermost axis of the input.</param>
/// <param name="OutChannels">out, the innermost axis of the output.</param>
public sealed record DenseProjection(int InChannels, int OutChannels) : Projection(InChannels, OutChannels)
{
    /// <inheritdoc/>
    public override int FanIn => InChannels;

    /// <inheritdoc/>
    public override Shape WeightShape(int outputs) => [InChannels, outputs];

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x, Tensor weight, Tensor? bias)
    {
        Check.That(x.Rank >= 2 && x.Shape.Channels == InChannels, "Linear", $"the input has shape {x.Shape} but the layer reads [..., {InChannels}].");
        return x.MatMul(weight, bias: bias);
    }

    /// <inheritdoc/>
    public override Tensor Inputs(Tensor x) => x;

    /// <inheritdoc/>
    public override string ToString() => $"{InChannels} -> {OutChannels}";
}

/// <summary>Each neuron reads a window of the image: [N, H, W, in] to [N, H', W', out].</summary>
/// <param name="InChannels">in, the number of channels of the input; a multiple of the groups.</param>
/// <param name="OutChannels">out, the number of channels of the output; a multiple of the groups.</param>
/// <param name="KernelSize">The height and width of the window.</param>
/// <param name="Stride">The step of the window, 1 or more.</param>
/// <param name="Padding">The number of zeros added on every side.</param>
/// <param name="Dilation">The step within the window, 1 or more.</param>
/// <param name="Groups">The number of groups. The output channels of a group read only the input channels of that group.</param>
public sealed record ConvProjection(int InChannels, int OutChannels, int KernelSize, int Stride = 1, int Padding = 0, int Dilation = 1, int Groups = 1)
    : Projection(InChannels, OutChannels)
{
    /// <inheritdoc/>
    public override int FanIn => KernelSize * KernelSize * (InChannels / Groups);

    /// <inheritdoc/>
    public override Shape WeightShape(int outputs) => [KernelSize, KernelSize, InChannels / Groups, outputs];

    /// <inheritdoc/>
    public override Tensor Apply(Tensor x, Tensor weight, Tensor? bias) => x.Conv2d(weight, bias, Stride, Padding, Dilation, Groups);

    /// <inheritdoc/>
    public override Tensor Inputs(Tensor x)
    {
        Check.That(Groups == 1, "Conv2d", $"the windows of {Groups} groups differ by output channel and cannot be unfolded; use one group.");
        Check.That(x.Rank == 4 && x.Shape[3] == InChannels, "Conv2d", $"the input has shape {x.Shape} but the layer reads [N, H, W, {InChannels}].");
        return x.Unfold(KernelSize, Stride, Padding, Dilation);
    }

    /// <inheritdoc/>
    public override string ToString() => $"{InChannels} -> {OutChannels}, {KernelSize}x{KernelSize}"
        + (Stride > 1 ? $", stride {Stride}" : "") + (Padding > 0 ? $", padding {Padding}" : "") + (Dilation > 1 ? $", dilation {Dilation}" : "") + (Groups > 1 ? $", groups {Groups}" : "");
}
