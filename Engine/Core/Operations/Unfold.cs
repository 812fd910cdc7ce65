using QuadEngine.Devices;
using QuadEngine.Operations;

namespace QuadEngine;

public partial class Tensor
{
    /// <summary>
    /// Lays out the receptive fields of a convolution:
    ///   y[n, oh, ow, (kh, kw, c)] = x[n, oh stride + kh dilation - padding, ow stride + kw dilation - padding, c], 0 outside the image
    /// It serves neurons that are not sums of products, and takes kernelSize^2 times the memory of the image.
    /// Backward: each pixel sums the gradients of all windows that contain it, which is the input gradient of a convolution with unit filters.
    /// </summary>
    /// <param name="kernelSize">The height and width of the window; this tensor is x: [N, H, W, C].</param>
    /// <param name="stride">The step of the window, 1 or more.</param>
    /// <param name="padding">The number of zeros added on every side.</param>
    /// <param name="dilation">The step within the window, 1 or more.</param>
    /// <returns>[N, H', W', kernelSize^2 C], with elements in the order of a filter.</returns>
    /// <exception cref="ArgumentException">The window does not fit the image.</exception>
    public Tensor Unfold(int kernelSize, int stride = 1, int padding = 0, int dilation = 1) => UnfoldOp.Apply(this, kernelSize, stride, padding, dilation);
}

/// <summary>See <see cref="Tensor.Unfold"/>.</summary>
static class UnfoldOp
{
    public static Tensor Apply(Tensor x, int kernelSize, int stride = 1, int padding = 0, int dilation = 1)
    {
        var window = new Window(kernelSize, kernelSize, stride, padding, dilation);
        window.Check(nameof(Tensor.Unfold), x.Shape);
        var (channels, size) = (x.Shape[3], kernelSize * kernelSize * x.Shape[3]);
        var geometry = new ConvGeometry(x.Shape[0], x.Shape[1], x.Shape[2], channels, size, window);
        var y = Tensor.Empty([geometry.Batch, geometry.OutHeight, geometry.OutWidth, size], x.Device);
        Gather(x, geometry, y);
        return y.WithBackward(nameof(Tensor.Unfold), [x], [], (dy, _) =>
        {
            var dx = Tensor.Empty([geometry.Batch, geometry.Height, geometry.Width, channels], dy.Device);
            dy.Device.Backend.Conv2dInputGradient(dy, UnitFilters(geometry, dy.Device), geometry, dx);
            return [dx];
        });
    }

    // One copy for each place in the window: the pixel at that place, of all windows.
    static void Gather(Tensor x, ConvGeometry geometry, Tensor y)
    {
        var window = geometry.Window;
        using var scope = new TensorScope.OnStack();
        using var noGrad = new NoGrad.OnStack();
        var padded = window.Padding == 0 ? x : x.Pad(1, window.Padding, window.Padding).Pad(2, window.Padding, window.Padding);
        int[] strides = padded.Shape.Strides();
        Shape shape = [geometry.Batch, geometry.OutHeight, geometry.OutWidth, geometry.InChannels];
        for (var row = 0; row < window.Height; row++)
            for (var column = 0; column < window.Width; column++)
                y.Device.Backend.CopyStrided(padded, window.Dilation * (row * strides[1] + column * strides[2]), [strides[0], window.Stride * strides[1], window.Stride * strides[2], 1], shape,
                    (row * window.Width + column) * geometry.InChannels, y.Shape.Strides(), y);
    }

    // Filter o is 1 at place o of the window and 0 elsewhere: the identity matrix.
    static Tensor UnitFilters(ConvGeometry geometry, Device device)
    {
        var n = geometry.OutChannels;
        var ones = new float[n * n];
        for (var i = 0; i < n; i++) ones[i * n + i] = 1f;
        return Tensor.FromArray(ones, [geometry.Window.Height, geometry.Window.Width, geometry.InChannels, n], device);
    }
}
