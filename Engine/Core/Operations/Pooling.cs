using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// Pooling over sliding windows of [N, H, W, C]. Maximum: the gradient goes to the element that was largest, the first of
/// equals; padding is never chosen. Average: the sum divided by the window's size, padding counted as zeros; the gradient is
/// shared equally.
/// </summary>
public static class Pooling
{
    /// <summary>The largest element of each window.</summary>
    /// <param name="x">[N, H, W, C]</param>
    /// <param name="kernelSize">Side of the window.</param>
    /// <param name="stride">Step; the side of the window where 0.</param>
    /// <param name="padding">At most half the window.</param>
    /// <param name="dilation">Step within the window.</param>
    /// <exception cref="ArgumentException">The window does not fit.</exception>
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

    /// <summary>The mean of each window.</summary>
    /// <param name="x">[N, H, W, C]</param>
    /// <param name="kernelSize">Side of the window.</param>
    /// <param name="stride">Step; the side of the window where 0.</param>
    /// <param name="padding">At most half the window.</param>
    /// <exception cref="ArgumentException">The window does not fit.</exception>
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

    /// <summary>The mean of each channel over the whole image.</summary>
    /// <param name="x">[N, H, W, C], with one pixel or more.</param>
    /// <returns>[N, C]</returns>
    /// <exception cref="ArgumentException">The input is not [N, H, W, C], or has no pixels.</exception>
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
