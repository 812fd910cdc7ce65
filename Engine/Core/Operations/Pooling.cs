using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>The largest element of each window. Its gradient goes to the largest element, or the first of equal ones. Padding is never chosen.</summary>
    /// <param name="kernelSize">The side of the window; this tensor is [N, H, W, C].</param>
    /// <param name="stride">The step of the window; 0 for the side of the window.</param>
    /// <param name="padding">Pixels added on every side, at most half the window.</param>
    /// <param name="dilation">The step within the window.</param>
    /// <returns>[N, (H + 2 padding - dilation (kernelSize - 1) - 1) / stride + 1, ..., C]</returns>
    /// <exception cref="ArgumentException">The window does not fit.</exception>
    public Tensor MaxPool2d(int kernelSize, int stride = 0, int padding = 0, int dilation = 1) => PoolingOp.Max(this, kernelSize, stride, padding, dilation);

    /// <summary>The mean of each window: the sum divided by the size of the window; padding counts as zeros. The gradient is shared equally.</summary>
    /// <param name="kernelSize">The side of the window; this tensor is [N, H, W, C].</param>
    /// <param name="stride">The step of the window; 0 for the side of the window.</param>
    /// <param name="padding">Zeros added on every side, at most half the window.</param>
    /// <returns>[N, (H + 2 padding - kernelSize) / stride + 1, ..., C]</returns>
    /// <exception cref="ArgumentException">The window does not fit.</exception>
    public Tensor AvgPool2d(int kernelSize, int stride = 0, int padding = 0) => PoolingOp.Average(this, kernelSize, stride, padding);

    /// <summary>The mean of each channel over the whole image [N, H, W, C], which has one pixel or more.</summary>
    /// <returns>[N, C]</returns>
    /// <exception cref="ArgumentException">The input is not [N, H, W, C], or has no pixels.</exception>
    public Tensor GlobalAvgPool2d() => PoolingOp.GlobalAverage(this);
}

/// <summary>See <see cref="Tensor.MaxPool2d"/> and <see cref="Tensor.AvgPool2d"/>.</summary>
static class PoolingOp
{
    public static Tensor Max(Tensor x, int kernelSize, int stride = 0, int padding = 0, int dilation = 1)
    {
        var geometry = Geometry("MaxPool2d", x, kernelSize, stride, padding, dilation);
        Check.That(geometry is { Height: > 0, Width: > 0 }, "MaxPool2d", $"the images have no pixels to choose from (shape {x.Shape}); expected at least one row and one column.");
        var y = Tensor.Empty(Output(geometry), x.Device);
        using var indices = IntTensor.Empty(y.Shape, x.Device);
        x.Device.Backend.MaxPool(x, geometry, y, indices);
        return y.WithBackward("MaxPool2d", [x], [], (dy, saved) =>
        {
            var dx = Tensor.Empty([geometry.Batch, geometry.Height, geometry.Width, geometry.Channels], dy.Device);
            dy.Device.Backend.MaxPoolBackward(dy, saved.Indices, geometry, dx);
            return [dx];
        }, indices);
    }

    public static Tensor Average(Tensor x, int kernelSize, int stride = 0, int padding = 0)
    {
        var geometry = Geometry("AvgPool2d", x, kernelSize, stride, padding, dilation: 1);
        var y = Tensor.Empty(Output(geometry), x.Device);
        x.Device.Backend.AveragePool(x, geometry, y);
        return y.WithBackward("AvgPool2d", [x], [], (dy, _) =>
        {
            var dx = Tensor.Empty([geometry.Batch, geometry.Height, geometry.Width, geometry.Channels], dy.Device);
            dy.Device.Backend.AveragePoolBackward(dy, geometry, dx);
            return [dx];
        });
    }

    public static Tensor GlobalAverage(Tensor x)
    {
        Check.That(x.Rank == 4, "GlobalAvgPool2d", $"the input must be [N, H, W, C], not {x.Shape}.");
        return x.Mean([1, 2]);
    }

    static PoolGeometry Geometry(string operation, Tensor x, int kernelSize, int stride, int padding, int dilation)
    {
        var window = new Window(kernelSize, kernelSize, stride == 0 ? kernelSize : stride, padding, dilation);
        window.Check(operation, x.Shape);
        Check.That(2 * padding <= kernelSize, operation, $"padding {padding} is more than half the window of {kernelSize}; some windows would hold nothing but padding.");
        return new PoolGeometry(x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], window);
    }

    static Shape Output(PoolGeometry geometry) => [geometry.Batch, geometry.OutHeight, geometry.OutWidth, geometry.Channels];
}
