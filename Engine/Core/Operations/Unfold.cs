using QuadEngine.Devices;

namespace QuadEngine.Operations;

/// <summary>
/// The receptive fields of a convolution, laid out:
///   y[n, oh, ow, (kh, kw, c)] = x[n, oh stride + kh dilation - padding, ow stride + kw dilation - padding, c], 0 outside the image
/// For neurons that are no sum of products; kernelSize^2 times the memory of the image.
/// Backward: each pixel gathers from all windows that it lies in, which is the input gradient of a convolution by unit filters.
/// </summary>
public static class Unfold
{
    /// <param name="x">[N, H, W, C]</param>
    /// <param name="kernelSize">Height and width of the window.</param>
    /// <param name="stride">Step of the window, 1 or more.</param>
    /// <param name="padding">Zeros added on every side.</param>
    /// <param name="dilation">Step within the window, 1 or more.</param>
    /// <returns>[N, H', W', kernelSize^2 C], elements in the order of a filter's</returns>
    /// <exception cref="ArgumentException">The window does not fit the image.</exception>
    public static Tensor Apply(Tensor x, int kernelSize, int stride = 1, int padding = 0, int dilation = 1)
    {
        var window = new Window(kernelSize, kernelSize, stride, padding, dilation);
        window.Check(nameof(Unfold), x.Shape);
        var (channels, size) = (x.Shape[3], kernelSize * kernelSize * x.Shape[3]);
        var geometry = new ConvGeometry(x.Shape[0], x.Shape[1], x.Shape[2], channels, size, window);
        var y = Tensor.Empty([geometry.Batch, geometry.OutHeight, geometry.OutWidth, size], x.Device);
        Gather(x, geometry, y);
        return y.WithBackward(nameof(Unfold), [x], [], (dy, _) =>
        {
            var dx = Tensor.Empty([geometry.Batch, geometry.Height, geometry.Width, channels], dy.Device);
            dy.Device.Backend.Conv2dInputGradient(dy, UnitFilters(geometry, dy.Device), geometry, dx);
            return [dx];
        });
    }

    // One copy for each place in the window, of that pixel in all windows.
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

    // Filter o has a 1 at the o-th place of the window: the identity matrix.
    static Tensor UnitFilters(ConvGeometry geometry, Device device)
    {
        var n = geometry.OutChannels;
        var ones = new float[n * n];
        for (var i = 0; i < n; i++) ones[i * n + i] = 1f;
        return Tensor.FromArray(ones, [geometry.Window.Height, geometry.Window.Width, geometry.InChannels, n], device);
    }
}
