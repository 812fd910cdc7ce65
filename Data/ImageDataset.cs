namespace QuadEngine.Data;

/// <summary>
/// Labelled images of one size, held in memory as bytes: pixels [N, H, W, C] (channels last), labels [N].
/// A data set is immutable; slices share its memory.
/// </summary>
public sealed class ImageDataset
{
    /// <summary>A data set over pixels [N, H, W, C] and labels [N], which it keeps and does not copy.</summary>
    /// <param name="name">What to call it in messages.</param>
    /// <param name="pixels">N * H * W * C bytes, channels last.</param>
    /// <param name="labels">N class numbers, each below the number of class names.</param>
    /// <param name="classNames">One name a class.</param>
    /// <param name="height">H, in pixels.</param>
    /// <param name="width">W, in pixels.</param>
    /// <param name="channels">C: 1 for grey images, 3 for RGB.</param>
    /// <param name="normalization">How bytes become numbers; pixels scaled to [0, 1] where it is left out.</param>
    /// <exception cref="ArgumentException">The sizes do not fit together, or a label has no class name.</exception>
    public ImageDataset(
        string name, ReadOnlyMemory<byte> pixels, ReadOnlyMemory<int> labels, IReadOnlyList<string> classNames,
        int height, int width, int channels, Normalization? normalization = null)
    {
        Check.That(height > 0 && width > 0 && channels > 0, nameof(ImageDataset),
            $"{name} has images [{height}, {width}, {channels}], expected a positive height, width and number of channels.");

        ImageShape = [height, width, channels];
        Check.That(pixels.Length == (long)labels.Length * ImageShape.Elements, nameof(ImageDataset),
            $"{name} has {pixels.Length} pixel bytes, expected {(long)labels.Length * ImageShape.Elements} for {labels.Length} images {ImageShape}.");

        var span = labels.Span;
        for (var i = 0; i < span.Length; i++)
            Check.That(span[i] >= 0 && span[i] < classNames.Count, nameof(ImageDataset),
                $"label {i} of {name} is {span[i]}, expected 0 to {classNames.Count - 1}, since there are {classNames.Count} class names.");

        Name = name;
        Pixels = pixels;
        Labels = labels;
        ClassNames = classNames;
        Normalization = Fitting(normalization ?? Normalization.UnitRange(channels));
    }

    ImageDataset(ImageDataset whole, ReadOnlyMemory<byte> pixels, ReadOnlyMemory<int> labels, Normalization normalization)
    {
        Name = whole.Name;
        ClassNames = whole.ClassNames;
        ImageShape = whole.ImageShape;
        Pixels = pixels;
        Labels = labels;
        Normalization = Fitting(normalization);
    }

    /// <summary>What it is called, e.g. "cifar10".</summary>
    public string Name { get; }

    /// <summary>All pixels: bytes [N, H, W, C].</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>All labels: class numbers [N].</summary>
    public ReadOnlyMemory<int> Labels { get; }

    /// <summary>One name a class.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>How bytes become the numbers a network sees.</summary>
    public Normalization Normalization { get; }

    /// <summary>N, the number of images.</summary>
    public int Count => Labels.Length;

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>[H, W, C], the shape of one image.</summary>
    public Shape ImageShape { get; }

    /// <summary>H, in pixels.</summary>
    public int Height => ImageShape[0];

    /// <summary>W, in pixels.</summary>
    public int Width => ImageShape[1];

    /// <summary>C: 1 for grey images, 3 for RGB.</summary>
    public int Channels => ImageShape[2];

    /// <summary>The bytes [H, W, C] of one image.</summary>
    public ReadOnlySpan<byte> Image(int index) => Pixels.Span.Slice(index * ImageShape.Elements, ImageShape.Elements);

    /// <summary>The images <paramref name="start"/> to <paramref name="start"/> + <paramref name="count"/> - 1, over the same memory.</summary>
    /// <exception cref="ArgumentException">The data set does not have these images.</exception>
    public ImageDataset Slice(int start, int count)
    {
        Check.That(start >= 0 && count >= 0 && count <= Count - start, nameof(Slice),
            $"asked for {count} images from image {start} on, but {Name} has {Count}.");
        return new(this, Pixels.Slice(start * ImageShape.Elements, count * ImageShape.Elements), Labels.Slice(start, count), Normalization);
    }

    /// <summary>The first <paramref name="count"/> images, over the same memory.</summary>
    /// <exception cref="ArgumentException">The data set has fewer.</exception>
    public ImageDataset Take(int count) => Slice(0, count);

    /// <summary>The same images under another normalisation.</summary>
    /// <exception cref="ArgumentException">It is for another number of channels.</exception>
    public ImageDataset With(Normalization normalization) => new(this, Pixels, Labels, normalization);

    /// <summary>
    /// The batches of one epoch: images [N, H, W, C] and labels [N]. For training give a seed; for evaluation leave it out.
    /// <code>foreach (var (images, labels) in train.Batches(128, seed: 1, epoch: e, augmentation: Augmentation.PadCropFlip)) ...</code>
    /// </summary>
    /// <param name="batchSize">Images in a batch.</param>
    /// <param name="seed">Shuffles the images, another order each epoch; in their own order where it is left out.</param>
    /// <param name="epoch">Which epoch, counted from 0: the order and the augmentation depend on it.</param>
    /// <param name="augmentation">Random changes of the images; none where it is left out. Needs a seed.</param>
    /// <param name="dropLast">Leaves out a last batch with fewer images.</param>
    /// <param name="start">The first batch: resumes an epoch in its middle with the bits it would have had.</param>
    /// <param name="prefetch">Batches in preparation at once on other threads; 0 prepares them on the caller's. Changes no bit.</param>
    /// <param name="device">Where the tensors go; the CPU where it is left out.</param>
    /// <exception cref="ArgumentException">An argument is out of range, or an augmentation has no seed.</exception>
    public Loader Batches(
        int batchSize, ulong? seed = null, int epoch = 0, Augmentation? augmentation = null, bool dropLast = false,
        int start = 0, int prefetch = 2, Device? device = null) =>
        new(new DatasetSource(this, augmentation ?? Augmentation.None), batchSize, seed, epoch, dropLast, start, prefetch, device);

    /// <inheritdoc/>
    public override string ToString() => $"ImageDataset({Name}: {Count:N0} images {ImageShape}, {Classes} classes)";

    Normalization Fitting(Normalization normalization)
    {
        Check.That(normalization.Channels == Channels, nameof(ImageDataset),
            $"the normalisation is for {normalization.Channels} channels, but the images of {Name} have {Channels}.");
        return normalization;
    }
}
