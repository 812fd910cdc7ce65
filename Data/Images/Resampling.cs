namespace QuadEngine.Data;

/// <summary>The old pixels under one new pixel along an axis: the index of the first, and the weight of each. The weights sum to 1.</summary>
readonly record struct Taps(int First, float[] Weights);

/// <summary>Resampling by a triangle filter, first along the columns, then along the rows.</summary>
static class Resampling
{
    /// <summary>Returns the taps of new pixels that are laid evenly over a part of the old pixels.</summary>
    /// <param name="start">The start of the part, in old pixels.</param>
    /// <param name="length">The length of the part, in old pixels.</param>
    /// <param name="count">The number of new pixels.</param>
    /// <param name="limit">The number of all old pixels.</param>
    public static Taps[] Along(float start, float length, int count, int limit)
    {
        var step = length / count;
        var reach = MathF.Max(1f, step);        // half the width of the filter
        var taps = new Taps[count];
        for (var i = 0; i < count; i++)
        {
            var centre = start + (i + 0.5f) * step;
            var first = Math.Clamp((int)MathF.Floor(centre - reach + 0.5f), 0, limit - 1);
            var end = Math.Clamp((int)MathF.Floor(centre + reach + 0.5f), first + 1, limit);
            var weights = new float[end - first];
            for (var k = 0; k < weights.Length; k++) weights[k] = MathF.Max(0f, 1f - MathF.Abs(first + k + 0.5f - centre) / reach);
            taps[i] = new(first, Normalized(weights));
        }

        return taps;
    }

    /// <summary>Resamples the columns, [H, W, C] to [H, W', C].</summary>
    public static float[] Columns(ReadOnlySpan<byte> pixels, int height, int channels, Taps[] columns)
    {
        var (from, to) = (pixels.Length / height, columns.Length * channels);       // elements of a row
        var result = new float[height * to];
        for (var h = 0; h < height; h++)
            for (var w = 0; w < columns.Length; w++)
            {
                var (first, weights) = columns[w];
                var source = pixels.Slice(h * from + first * channels, weights.Length * channels);
                var target = result.AsSpan(h * to + w * channels, channels);
                for (var k = 0; k < weights.Length; k++)
                    for (var c = 0; c < channels; c++) target[c] += weights[k] * source[k * channels + c];
            }

        return result;
    }

    /// <summary>Resamples the rows, [H, row] to [H', row], and rounds to bytes.</summary>
    /// <param name="values">The old rows from <paramref name="start"/> on.</param>
    /// <param name="row">The number of values in a row.</param>
    /// <param name="rows">The taps of the new rows.</param>
    /// <param name="start">The index of the first old row in <paramref name="values"/>.</param>
    public static byte[] Rows(ReadOnlySpan<float> values, int row, Taps[] rows, int start)
    {
        var result = new byte[rows.Length * row];
        var sum = new float[row];
        for (var h = 0; h < rows.Length; h++)
        {
            var (first, weights) = rows[h];
            Array.Clear(sum);
            for (var k = 0; k < weights.Length; k++)
            {
                var source = values.Slice((first - start + k) * row, row);
                for (var i = 0; i < row; i++) sum[i] += weights[k] * source[i];
            }

            for (var i = 0; i < row; i++) result[h * row + i] = (byte)Math.Clamp((int)(sum[i] + 0.5f), 0, 255);
        }

        return result;
    }

    static float[] Normalized(float[] weights)
    {
        var sum = weights.Sum();
        return sum > 0f ? [.. weights.Select(weight => weight / sum)] : [.. weights.Select(_ => 1f / weights.Length)];
    }
}
