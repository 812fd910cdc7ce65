namespace QuadEngine.Layers;

/// <summary>The largest element of each window. See <see cref="Tensor.MaxPool2d"/>.</summary>
/// <param name="kernelSize">The side of the window.</param>
/// <param name="stride">The step of the window; 0 for the side of the window.</param>
/// <param name="padding">The number of pixels added on every side, at most half the window.</param>
/// <param name="dilation">The step within the window.</param>
public sealed class MaxPool2d(int kernelSize, int stride = 0, int padding = 0, int dilation = 1) : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x.MaxPool2d(kernelSize, stride, padding, dilation);

    /// <inheritdoc/>
    protected override string Describe() => $"MaxPool2d({kernelSize}x{kernelSize}, stride {(stride == 0 ? kernelSize : stride)}, padding {padding})";
}

/// <summary>The mean of each window. See <see cref="Tensor.AvgPool2d"/>.</summary>
/// <param name="kernelSize">The side of the window.</param>
/// <param name="stride">The step of the window; 0 for the side of the window.</param>
/// <param name="padding">The number of zeros added on every side, at most half the window.</param>
public sealed class AvgPool2d(int kernelSize, int stride = 0, int padding = 0) : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x.AvgPool2d(kernelSize, stride, padding);

    /// <inheritdoc/>
    protected override string Describe() => $"AvgPool2d({kernelSize}x{kernelSize}, stride {(stride == 0 ? kernelSize : stride)}, padding {padding})";
}

/// <summary>The mean of each channel over the whole image: [N, H, W, C] to [N, C].</summary>
public sealed class GlobalAvgPool2d : Module
{
    /// <inheritdoc/>
    protected override Tensor Compute(Tensor x) => x.GlobalAvgPool2d();
}
