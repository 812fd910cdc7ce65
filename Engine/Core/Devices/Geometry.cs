namespace QuadEngine.Devices;

/// <summary>A sliding window over height and width: the same step, zero padding and dilation along both.</summary>
/// <param name="Height">Rows, 1 or more.</param>
/// <param name="Width">Columns, 1 or more.</param>
/// <param name="Stride">Pixels from one position to the next, 1 or more.</param>
/// <param name="Padding">Rows and columns of zeros on every side.</param>
/// <param name="Dilation">Pixels from one element of the window to the next, 1 or more.</param>
public readonly record struct Window(int Height, int Width, int Stride, int Padding, int Dilation = 1)
{
    /// <summary>Positions of the window along an axis: floor((extent + 2 padding - dilation (size - 1) - 1) / stride) + 1.</summary>
    /// <param name="extent">Rows or columns of the input.</param>
    /// <param name="size">Rows or columns of the window, along the same axis.</param>
    public int Positions(int extent, int size) => (extent + 2 * Padding - Dilation * (size - 1) - 1) / Stride + 1;

    internal void Check(string operation, Shape input)
    {
        QuadEngine.Check.That(input.Rank == 4, operation, $"the input must be [N, H, W, C], not {input}.");
        QuadEngine.Check.That(Height > 0 && Width > 0 && Stride > 0 && Padding >= 0 && Dilation > 0, operation,
            $"a window of {Height}x{Width} with stride {Stride}, padding {Padding}, dilation {Dilation} is not possible; padding may be 0, the others start at 1.");
        // These are longs, so that a huge extent cannot overflow and seem to fit.
        long height = (long)Dilation * (Height - 1) + 1, width = (long)Dilation * (Width - 1) + 1, padding = 2L * Padding;
        QuadEngine.Check.That(input[1] + padding >= height && input[2] + padding >= width, operation,
            $"the window covers {height}x{width} but the input, with padding {Padding}, has {input[1] + padding}x{input[2] + padding} (shape {input}); use a larger image, more padding or a smaller kernel.");
        QuadEngine.Check.That(Math.Max(input[1], input[2]) + padding <= int.MaxValue, operation, $"padding {Padding} makes an image of more than 2^31 - 1 rows or columns of shape {input}.");
    }
}

/// <summary>
/// The extents of a convolution: input [Batch, Height, Width, InChannels], filter [kH, kW, InChannels / Groups, OutChannels],
/// output [Batch, OutHeight, OutWidth, OutChannels]. Output channels of group g read input channels of group g.
/// </summary>
/// <param name="Batch">N, images.</param>
/// <param name="Height">H, rows of the input.</param>
/// <param name="Width">W, columns of the input.</param>
/// <param name="InChannels">Cin; the groups divide it.</param>
/// <param name="OutChannels">Cout; the groups divide it.</param>
/// <param name="Window">The filter's height and width, and how it slides.</param>
/// <param name="Groups">1 for a plain convolution, Cin for a depthwise one.</param>
public readonly record struct ConvGeometry(int Batch, int Height, int Width, int InChannels, int OutChannels, Window Window, int Groups = 1)
{
    /// <summary>Rows of the output.</summary>
    public int OutHeight => Window.Positions(Height, Window.Height);

    /// <summary>Columns of the output.</summary>
    public int OutWidth => Window.Positions(Width, Window.Width);

    /// <summary>Output pixels of the whole batch: the rows of the implicit matrix product.</summary>
    public int Rows => Batch * OutHeight * OutWidth;

    /// <summary>Multiply-adds of one pass.</summary>
    public long MultiplyAdds => (long)Rows * OutChannels * Window.Height * Window.Width * (InChannels / Groups);
}

/// <summary>The extents of a pooling: input [Batch, Height, Width, Channels], output [Batch, OutHeight, OutWidth, Channels].</summary>
/// <param name="Batch">N, images.</param>
/// <param name="Height">H, rows of the input.</param>
/// <param name="Width">W, columns of the input.</param>
/// <param name="Channels">C, of input and output.</param>
/// <param name="Window">The pooled window, and how it slides.</param>
public readonly record struct PoolGeometry(int Batch, int Height, int Width, int Channels, Window Window)
{
    /// <summary>Rows of the output.</summary>
    public int OutHeight => Window.Positions(Height, Window.Height);

    /// <summary>Columns of the output.</summary>
    public int OutWidth => Window.Positions(Width, Window.Width);
}

/// <summary>
/// The extents of a (batched) matrix product y[i] = op(a[i]) op(b[i]), [M, K] times [K, N]. op transposes if requested, so a
/// transposed left operand is stored [K, M].
/// </summary>
/// <param name="Batch">Number of products.</param>
/// <param name="M">Rows of y.</param>
/// <param name="N">Columns of y.</param>
/// <param name="K">Terms of each sum.</param>
/// <param name="TransposeA">a is stored [K, M].</param>
/// <param name="TransposeB">b is stored [N, K].</param>
/// <param name="StrideA">Elements from one a to the next; 0 if one a serves all products.</param>
/// <param name="StrideB">Likewise for b.</param>
public readonly record struct MatMulGeometry(int Batch, int M, int N, int K, bool TransposeA, bool TransposeB, int StrideA, int StrideB)
{
    /// <summary>Multiply-adds.</summary>
    public long MultiplyAdds => (long)Batch * M * N * K;
}
