using QuadEngine.Devices;

namespace QuadEngine.Data;

/// <summary>
/// The map from a pixel byte b of channel c to the number that a network sees:
///   x = (b / 255 - mean[c]) / std[c]
/// It is evaluated in float32 in this order, as in torchvision's ToTensor and Normalize.
/// </summary>
public sealed class Normalization
{
    readonly float[] mean, std;
    readonly float[] table;             // [C, 256]: (b / 255 - mean) / std, with the same bits, for the cost of a load

    /// <summary>Creates a normalization with one mean and one standard deviation for each channel, for pixels scaled to [0, 1].</summary>
    /// <param name="mean">The means [C], finite.</param>
    /// <param name="std">The standard deviations [C], finite and above 0.</param>
    /// <exception cref="ArgumentException">The lengths differ or are zero, or a number is not usable.</exception>
    public Normalization(ReadOnlySpan<float> mean, ReadOnlySpan<float> std)
    {
        Check.That(mean.Length > 0 && mean.Length == std.Length, nameof(Normalization),
            $"got {mean.Length} means and {std.Length} standard deviations, expected one of each for each channel.");

        for (var c = 0; c < mean.Length; c++)
            Check.That(float.IsFinite(mean[c]) && float.IsFinite(std[c]) && std[c] > 0, nameof(Normalization),
                $"channel {c} has mean {mean[c]} and standard deviation {std[c]}, expected finite numbers and a positive deviation.");

        this.mean = mean.ToArray();
        this.std = std.ToArray();
        table = new float[mean.Length * 256];
        for (var i = 0; i < table.Length; i++) table[i] = (i % 256 / 255f - mean[i / 256]) / std[i / 256];
    }

    /// <summary>The statistics of ImageNet's RGB pixels, which most published ResNets were trained with.</summary>
    public static Normalization ImageNet { get; } = new([0.485f, 0.456f, 0.406f], [0.229f, 0.224f, 0.225f]);

    /// <summary>Returns the normalization that only scales pixels to [0, 1].</summary>
    /// <param name="channels">The number of channels C, 1 or more: 1 for gray images, 3 for RGB.</param>
    public static Normalization UnitRange(int channels)
    {
        var zeros = new float[channels];
        var ones = new float[channels];
        Array.Fill(ones, 1f);
        return new(zeros, ones);
    }

    /// <summary>Computes the mean and the standard deviation of each channel over all pixels of a data set.</summary>
    /// <param name="data">The training images. Test images must not contribute to the statistics.</param>
    /// <exception cref="ArgumentException">The data set is empty, or a channel is constant.</exception>
    public static Normalization Of(ImageDataset data)
    {
        var channels = data.Channels;
        var histogram = new long[channels * 256];        // [channels, 256]: exact for any number of pixels
        var pixels = data.Pixels.Span;
        for (var i = 0; i < pixels.Length; i += channels)
            for (var c = 0; c < channels; c++)
                histogram[c * 256 + pixels[i + c]]++;

        var mean = new float[channels];
        var std = new float[channels];
        var count = pixels.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            double sum = 0, squares = 0;
            for (var b = 0; b < 256; b++)
            {
                var weight = histogram[c * 256 + b];
                sum += weight * (b / 255.0);
                squares += weight * (b / 255.0) * (b / 255.0);
            }
            mean[c] = (float)(sum / count);
            std[c] = (float)Math.Sqrt(squares / count - sum / count * (sum / count));
        }
        return new(mean, std);
    }

    /// <summary>The mean of each channel.</summary>
    public IReadOnlyList<float> Mean => mean;

    /// <summary>The standard deviation of each channel.</summary>
    public IReadOnlyList<float> Std => std;

    /// <summary>The number of channels.</summary>
    public int Channels => mean.Length;

    /// <summary>The numbers x for each byte of each channel, [C, 256].</summary>
    internal ReadOnlySpan<float> Levels => table;

    /// <summary>Returns x for a pixel byte of a channel.</summary>
    /// <param name="pixel">The byte b, from 0 to 255.</param>
    /// <param name="channel">The channel c, from 0.</param>
    public float Apply(byte pixel, int channel) => table[channel * 256 + pixel];

    /// <summary>Computes x for pixels [..., C].</summary>
    /// <param name="pixels">The bytes b, channels last.</param>
    /// <param name="to">Receives x for each byte, in the same order; its length is the length of <paramref name="pixels"/>.</param>
    /// <exception cref="ArgumentException">The lengths differ, or are not a whole number of pixels.</exception>
    public void Apply(ReadOnlySpan<byte> pixels, Span<float> to) => ImageBytes.ToNumbers(pixels, table, to);

    /// <inheritdoc/>
    public override string ToString() => $"Normalization(mean: [{string.Join(", ", mean)}], std: [{string.Join(", ", std)}])";
}
