using System.Runtime.CompilerServices;

namespace QuadEngine.Devices.Cpu;

/// <summary>
/// A rectangle of an image [height, width, channels]. It may reach over the border of the image, where it holds zeros. A rectangle inside the image is the image's memory
/// itself. Otherwise it is a copy in the thread's scratch memory, whose rows are made when they are needed.
/// </summary>
unsafe struct ImageWindow
{
    readonly float* image;
    readonly int height, width, channels, left, right;

    // The address of the pixel (0, 0), which may lie outside the rectangle.
    readonly float* origin;

    // The first row that has not been made yet.
    int next;

    /// <param name="image">The first element of the image.</param>
    /// <param name="height">Rows of the image.</param>
    /// <param name="width">Columns of the image.</param>
    /// <param name="channels">Channels of the image.</param>
    /// <param name="top">First row of the rectangle.</param>
    /// <param name="bottom">The row after its last row.</param>
    /// <param name="left">First column of the rectangle.</param>
    /// <param name="right">The column after its last column.</param>
    /// <param name="second">Whether the thread uses another window at the same time.</param>
    public ImageWindow(float* image, int height, int width, int channels, int top, int bottom, int left, int right, bool second = false)
    {
        (this.height, this.width, this.channels, this.left, this.right) = (height, width, channels, left, right);
        this.image = image;
        RowStep = (nint)width * channels;
        origin = image;
        next = bottom;
        if (top >= 0 && bottom <= height && left >= 0 && right <= width) return;

        RowStep = (nint)(right - left) * channels;
        var floats = (bottom - top) * RowStep;
        origin = (second ? ThreadScratch.SecondWindow(floats) : ThreadScratch.Window(floats)) - top * RowStep - (nint)left * channels;
        next = top;
    }

    /// <summary>Elements from a row to the next.</summary>
    public nint RowStep { get; }

    /// <summary>The first element of a row, at column 0.</summary>
    public readonly float* At(int row) => origin + row * RowStep;

    /// <summary>Makes all rows before the given row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Prepare(int end)
    {
        for (; next < end; next++)
        {
            var target = new Span<float>(At(next) + (nint)left * channels, (int)RowStep);
            int from = Math.Max(0, left), to = Math.Min(width, right);
            if (next < 0 || next >= height || from >= to)
            {
                target.Clear();
                continue;
            }

            int before = (from - left) * channels, inside = (to - from) * channels;
            target[..before].Clear();
            new ReadOnlySpan<float>(image + ((nint)next * width + from) * channels, inside).CopyTo(target[before..]);
            target[(before + inside)..].Clear();
        }
    }

    /// <summary>Prefetches a row of the image that will be needed soon.</summary>
    public readonly void Prefetch(int row)
    {
        if (row >= 0 && row < height) CacheLines.Prefetch(image + (nint)row * width * channels, width * channels);
    }
}
