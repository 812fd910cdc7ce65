namespace QuadEngine.Data;

/// <summary>The old pixels under one new one along an axis: the first of them, and the weight of each; weights sum to 1.</summary>
readonly record struct Taps(int First, float[] Weights);

/// <summary>Resampling by a triangle filter, first along the columns, then along the rows.</summary>
static class Resampling
{
    /// <summary>The taps of so many new pixels, laid evenly over a part of the old ones.</summary>
    /// <param name="start">Where the part begins, in old pixels.</param>
    /// <param name="length">Its length, in old pixels.</param>
    /// <param name="count">New pixels.</param>
    /// <param name="limit">Old pixels in all.</param>
    public static Taps[] Along(float start, float length, int count, int limit)
    {
        var step = length / count;
        var reach = MathF.Max(1f, step);        // half the filter's width
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

    /// <summary>[H, W, C] to [H, W', C].</summary>
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

    /// <summary>[H, row] to [H', row], rounded to bytes.</summary>
    /// <param name="values">Old rows, from <paramref name="start"/> on.</param>
    /// <param name="row">Values of a row.</param>
    /// <param name="rows">New rows.</param>
    /// <param name="start">The first of the old rows.</param>
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
