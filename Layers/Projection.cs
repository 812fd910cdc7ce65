using QuadEngine.Operations;

namespace QuadEngine.Layers;

/// <summary>
/// How the inputs of a neuron meet its weights: densely, or over the receptive field of a convolution. A neuron is written once, in
/// terms of projections w x, and serves both.
/// </summary>
/// <param name="InChannels">in: features of a row, or channels of the images.</param>
/// <param name="OutChannels">out, of the layer.</param>
public abstract record Projection(int InChannels, int OutChannels)
{
    /// <summary>n, the inputs of one neuron.</summary>
    public abstract int FanIn { get; }

    /// <summary>The shape of the weights of so many linear neurons.</summary>
    /// <param name="outputs"><see cref="OutChannels"/>, or more where a neuron takes several projections.</param>
    public abstract Shape WeightShape(int outputs);

    /// <summary>w x + b for every neuron.</summary>
    /// <param name="x">The layer's input.</param>
    /// <param name="weight">Of <see cref="WeightShape"/>.</param>
    /// <param name="bias">[outputs], or null.</param>
    public abstract Tensor Apply(Tensor x, Tensor weight, Tensor? bias);

    /// <summary>What each neuron reads, laid out: [rows of the output..., n], for neurons that are no sum of projections.</summary>
    /// <param name="x">The layer's input.</param>
    public abstract Tensor Inputs(Tensor x);

    /// <summary>For printing: "16 -> 32, 3x3, stride 2".</summary>
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
/// <param name="InChannels">in, channels of the input; the groups divide them.</param>
/// <param name="OutChannels">out, channels of the output; the groups divide them.</param>
/// <param name="KernelSize">Height and width of the window.</param>
/// <param name="Stride">Step of the window, 1 or more.</param>
/// <param name="Padding">Zeros added on every side.</param>
/// <param name="Dilation">Step within the window, 1 or more.</param>
/// <param name="Groups">Number of groups; the output channels of a group read the input channels of that group alone.</param>
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
