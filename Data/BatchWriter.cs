namespace QuadEngine.Data;

/// <summary>
/// Writes images of a data set, shifted, mirrored and normalised, straight into a batch [N, H, W, C] of floats.
/// A row is first laid out as bytes (black where the window leaves the image), then normalised. Safe to share between threads.
/// </summary>
sealed class BatchWriter
{
    readonly LabelledImages data;
    readonly int height, width, channels;

    public BatchWriter(LabelledImages data)
    {
        this.data = data;
        (height, width, channels) = (data.Height, data.Width, data.Channels);
    }

    /// <param name="image">Index of the image.</param>
    /// <param name="placement">Which window of it.</param>
    /// <param name="to">[H, W, C]</param>
    public void Write(int image, Placement placement, Span<float> to)
    {
        var pixels = data.Image(image);
        if (placement == default)
        {
            data.Normalization.Apply(pixels, to);
            return;
        }

        var length = width * channels;
        var row = length <= 1024 ? stackalloc byte[length] : new byte[length];
        for (var h = 0; h < height; h++)
        {
            var from = h + placement.Down;
            if ((uint)from < (uint)height)
                LayOut(pixels.Slice(from * length, length), placement, row);
            else
                row.Clear();
            data.Normalization.Apply(row, to.Slice(h * length, length));
        }
    }

    void LayOut(ReadOnlySpan<byte> source, Placement placement, Span<byte> row)
    {
        var right = placement.Right;
        int first = Math.Max(0, -right), end = Math.Min(width, width - right);       // the part of the window inside the image
        row.Clear();
        if (end <= first)
            return;

        if (!placement.Mirrored)
        {
            source.Slice((first + right) * channels, (end - first) * channels).CopyTo(row[(first * channels)..]);
            return;
        }

        for (var w = first; w < end; w++)
            for (var c = 0; c < channels; c++)
                row[(width - 1 - w) * channels + c] = source[(w + right) * channels + c];
    }
}
