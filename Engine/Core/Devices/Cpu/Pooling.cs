using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

// Floor: x is read and y written once (the elements that windows share come from the caches). Vectors run along the channels.
sealed unsafe partial class CpuKernels
{
    public override void MaxPool(Operand x, PoolGeometry geometry, Operand y, Operand indices)
    {
        float* input = x.Pointer(), result = y.Pointer();
        var index = indices.Integers();
        ForEachWindow(geometry, (image, taps, at) =>
            Sweep.Rows(new MaxPoolKernel(input + image, geometry, taps, result + at, index + at), 0, geometry.Channels, geometry.Channels, 0));
    }

    public override void MaxPoolBackward(Operand dy, Operand indices, PoolGeometry geometry, Operand dx)
    {
        Fill(dx, 0f);
        float* upstream = dy.Pointer(), result = dx.Pointer();
        var index = indices.Integers();
        int channels = geometry.Channels, pixels = geometry.OutHeight * geometry.OutWidth;
        ForEachJob(geometry.Batch, geometry.Height * geometry.Width * channels, image =>
        {
            var at = (nint)image * pixels * channels;
            var plane = result + (nint)image * geometry.Height * geometry.Width * channels;
            for (var pixel = 0; pixel < pixels; pixel++)
                for (var c = 0; c < channels; c++, at++)
                    if (index[at] >= 0) plane[index[at] * channels + c] += upstream[at];
        });
    }

    public override void AveragePool(Operand x, PoolGeometry geometry, Operand y)
    {
        float* input = x.Pointer(), result = y.Pointer();
        ForEachWindow(geometry, (image, taps, at) =>
            Sweep.Rows(new AveragePoolKernel(input + image, geometry, taps, result + at), 0, geometry.Channels, geometry.Channels, 0));
    }

    public override void AveragePoolBackward(Operand dy, PoolGeometry geometry, Operand dx)
    {
        Fill(dx, 0f);
        float* upstream = dy.Pointer(), result = dx.Pointer();
        int channels = geometry.Channels, width = geometry.OutWidth, height = geometry.OutHeight;
        ForEachJob(geometry.Batch, geometry.Height * geometry.Width * channels, image =>
        {
            var plane = result + (nint)image * geometry.Height * geometry.Width * channels;
            for (var row = 0; row < height; row++)
                for (var column = 0; column < width; column++)
                    Sweep.Rows(new AveragePoolGradientKernel(upstream + (((nint)image * height + row) * width + column) * channels, geometry, new(geometry, row, column), plane),
                        0, channels, channels, 0);
        });
    }

    /// <summary>Gets the position of an image's first element, the window's taps in the image, and the position of the output pixel's first element.</summary>
    delegate void WindowBody(nint image, WindowTaps taps, nint output);

    /// <summary>Calls the body for every output pixel, on all cores.</summary>
    static void ForEachWindow(PoolGeometry geometry, WindowBody body)
    {
        int height = geometry.OutHeight, width = geometry.OutWidth;
        nint plane = (nint)geometry.Height * geometry.Width * geometry.Channels;
        ForEachJob(geometry.Batch * height, width * geometry.Channels * geometry.Window.Height * geometry.Window.Width, line =>
        {
            for (var column = 0; column < width; column++)
                body(line / height * plane, new(geometry, line % height, column), ((nint)line * width + column) * geometry.Channels);
        });
    }
}

/// <summary>The pixels of a window that are not padding. Rows and columns go from a first to before an end, in steps of the dilation.</summary>
readonly struct WindowTaps
{
    public WindowTaps(PoolGeometry geometry, int row, int column)
    {
        Step = geometry.Window.Dilation;
        (FirstRow, EndRow) = Range(row, geometry.Window, geometry.Window.Height, geometry.Height);
        (FirstColumn, EndColumn) = Range(column, geometry.Window, geometry.Window.Width, geometry.Width);
    }

    public int FirstRow { get; }

    public int EndRow { get; }

    public int FirstColumn { get; }

    public int EndColumn { get; }

    public int Step { get; }

    static (int First, int End) Range(int position, Window window, int size, int extent)
    {
        var start = position * window.Stride - window.Padding;
        var skipped = start < 0 ? (-start + window.Dilation - 1) / window.Dilation : 0;
        return (start + skipped * window.Dilation, Math.Min(extent, start + (size - 1) * window.Dilation + 1));
    }
}

/// <summary>The largest tap and its index: of equal taps the first, or the first NaN; -infinity and -1 if all taps are padding.</summary>
readonly unsafe struct MaxPoolKernel(float* x, PoolGeometry geometry, WindowTaps taps, float* y, int* indices) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        // An index is an integer in the bits of a lane.
        T largest = float.NegativeInfinity, index = BitConverter.Int32BitsToSingle(-1), isFirst = T.Equal(largest, largest);
        for (var row = taps.FirstRow; row < taps.EndRow; row += taps.Step)
            for (var column = taps.FirstColumn; column < taps.EndColumn; column += taps.Step)
            {
                var pixel = row * geometry.Width + column;
                var value = lanes.Load(x + (nint)pixel * geometry.Channels + i);
                var isNewNaN = T.Equal(largest, largest) & ~T.Equal(value, value);
                var replaces = (value > largest) | isNewNaN | isFirst;
                largest = T.Select(replaces, value, largest);
                index = T.Select(replaces, BitConverter.Int32BitsToSingle(pixel), index);
                isFirst = 0f;
            }

        lanes.Store(y + i, largest);
        lanes.Store((float*)indices + i, index);
    }
}

/// <summary>The sum of the taps, row by row, divided by the size of the window.</summary>
readonly unsafe struct AveragePoolKernel(float* x, PoolGeometry geometry, WindowTaps taps, float* y) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        T sum = 0f;
        for (var row = taps.FirstRow; row < taps.EndRow; row += taps.Step)
        {
            T ofRow = 0f;
            for (var column = taps.FirstColumn; column < taps.EndColumn; column += taps.Step)
                ofRow += lanes.Load(x + ((nint)row * geometry.Width + column) * geometry.Channels + i);
            sum += ofRow;
        }

        lanes.Store(y + i, sum / (float)(geometry.Window.Height * geometry.Window.Width));
    }
}

/// <summary>Adds dy divided by the size of the window to every tap.</summary>
readonly unsafe struct AveragePoolGradientKernel(float* dy, PoolGeometry geometry, WindowTaps taps, float* dx) : IVectorKernel
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Step<T, TLanes>(nint i, nint t, TLanes lanes) where T : struct, IVector<T> where TLanes : struct, ILanes<T>
    {
        var share = lanes.Load(dy + i) / (float)(geometry.Window.Height * geometry.Window.Width);
        for (var row = taps.FirstRow; row < taps.EndRow; row += taps.Step)
            for (var column = taps.FirstColumn; column < taps.EndColumn; column += taps.Step)
            {
                var at = dx + ((nint)row * geometry.Width + column) * geometry.Channels + i;
                lanes.Store(at, lanes.Load(at) + share);
            }
    }
}
