namespace QuadEngine.Devices.Cpu;

/// <summary>A rectangle of an image [height, width, channels] that may reach over its border, where it holds zeros.</summary>
unsafe readonly struct ImageWindow
{
    // Of the pixel (0, 0), which may lie outside the rectangle.
    readonly float* origin;

    ImageWindow(float* origin, nint rowStep)
    {
        this.origin = origin;
        RowStep = rowStep;
    }

    /// <summary>Elements from a row to the next.</summary>
    public nint RowStep { get; }

    /// <summary>The rectangle of rows top to bottom and columns left to right (ends excluded): the image itself where it lies within, else a copy in the thread's scratch memory.</summary>
    public static ImageWindow Of(float* image, int height, int width, int channels, int top, int bottom, int left, int right)
    {
        nint step = (nint)width * channels;
        if (top >= 0 && bottom <= height && left >= 0 && right <= width) return new ImageWindow(image, step);

        nint copyStep = (nint)(right - left) * channels;
        var copy = ThreadScratch.Window((bottom - top) * copyStep);
        int from = Math.Max(0, left), to = Math.Max(from, Math.Min(width, right));
        int before = (Math.Min(right, from) - left) * channels, inside = (to - from) * channels;
        for (var row = top; row < bottom; row++)
        {
            var target = new Span<float>(copy + (row - top) * copyStep, (int)copyStep);
            if (row < 0 || row >= height || inside == 0)
            {
                target.Clear();
                continue;
            }

            target[..before].Clear();
            new ReadOnlySpan<float>(image + row * step + (nint)from * channels, inside).CopyTo(target[before..]);
            target[(before + inside)..].Clear();
        }

        return new ImageWindow(copy - top * copyStep - (nint)left * channels, copyStep);
    }

    /// <summary>The first element of a row, at column 0.</summary>
    public float* At(int row) => origin + row * RowStep;
}
