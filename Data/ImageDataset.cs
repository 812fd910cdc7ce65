namespace QuadEngine.Data;

/// <summary>
/// Labeled images of one size, held in memory as bytes: pixels [N, H, W, C] (channels last), labels [N].
/// A data set is immutable; slices share its memory.
/// </summary>
public sealed class ImageDataset : LabeledImages
{
    /// <summary>Creates a data set over pixels [N, H, W, C] and labels [N], which it keeps and does not copy.</summary>
    /// <param name="name">The name in messages.</param>
    /// <param name="pixels">The N * H * W * C bytes, channels last.</param>
    /// <param name="labels">The N class numbers, each below the number of class names.</param>
    /// <param name="classNames">The names of the classes.</param>
    /// <param name="height">The height H, in pixels.</param>
    /// <param name="width">The width W, in pixels.</param>
    /// <param name="channels">The number of channels C: 1 for gray images, 3 for RGB.</param>
    /// <param name="normalization">The normalization from bytes to numbers; null to scale pixels to [0, 1].</param>
    /// <exception cref="ArgumentException">The sizes do not match, or a label has no class name.</exception>
    public ImageDataset(
        string name, ReadOnlyMemory<byte> pixels, ReadOnlyMemory<int> labels, IReadOnlyList<string> classNames,
        int height, int width, int channels, Normalization? normalization = null)
        : base(name, classNames, Positive(name, height, width, channels), normalization ?? Normalization.UnitRange(channels))
    {
        Check.That(pixels.Length == (long)labels.Length * ImageShape.Elements, nameof(ImageDataset),
            $"{name} has {pixels.Length} pixel bytes, expected {(long)labels.Length * ImageShape.Elements} for {labels.Length} images {ImageShape}.");

        var span = labels.Span;
        for (var i = 0; i < span.Length; i++)
            Check.That(span[i] >= 0 && span[i] < classNames.Count, nameof(ImageDataset),
                $"label {i} of {name} is {span[i]}, expected 0 to {classNames.Count - 1}, because there are {classNames.Count} class names.");

        Pixels = pixels;
        Labels = labels;
    }

    ImageDataset(ImageDataset whole, ReadOnlyMemory<byte> pixels, ReadOnlyMemory<int> labels, Normalization normalization)
        : base(whole.Name, whole.ClassNames, whole.ImageShape, normalization)
    {
        Pixels = pixels;
        Labels = labels;
    }

    /// <summary>All pixels: bytes [N, H, W, C].</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>All labels: class numbers [N].</summary>
    public ReadOnlyMemory<int> Labels { get; }

    /// <inheritdoc/>
    public override int Count => Labels.Length;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> Image(int index) => Pixels.Span.Slice(index * ImageShape.Elements, ImageShape.Elements);

    /// <inheritdoc/>
    public override int Label(int index) => Labels.Span[index];

    /// <summary>Returns the images <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> - 1, over the same memory.</summary>
    /// <param name="start">The first image, from 0.</param>
    /// <param name="count">The number of images; 0 gives a data set without images.</param>
    /// <exception cref="ArgumentException">The data set does not have these images.</exception>
    public ImageDataset Slice(int start, int count)
    {
        Check.That(start >= 0 && count >= 0 && count <= Count - start, nameof(Slice),
            $"{count} images from image {start} were requested, but {Name} has {Count}.");
        return new(this, Pixels.Slice(start * ImageShape.Elements, count * ImageShape.Elements), Labels.Slice(start, count), Normalization);
    }

    /// <summary>Returns the first <paramref name="count"/> images, over the same memory.</summary>
    /// <param name="count">The number of images, from 0 to <see cref="Count"/>.</param>
    /// <exception cref="ArgumentException">The data set has fewer images.</exception>
    public ImageDataset Take(int count) => Slice(0, count);

    /// <summary>Returns the same images with another normalization.</summary>
    /// <param name="normalization">The normalization from bytes to numbers, for the images' number of channels.</param>
    /// <exception cref="ArgumentException">The normalization is for another number of channels.</exception>
    public ImageDataset With(Normalization normalization) => new(this, Pixels, Labels, normalization);

    static Shape Positive(string name, int height, int width, int channels)
    {
        Check.That(height > 0 && width > 0 && channels > 0, nameof(ImageDataset),
            $"{name} has images [{height}, {width}, {channels}], expected a positive height, width and number of channels.");
        return [height, width, channels];
    }
}
