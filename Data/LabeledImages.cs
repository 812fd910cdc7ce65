namespace QuadEngine.Data;

/// <summary>
/// Labeled images of one size for training and evaluation. <see cref="ImageDataset"/> holds them in
/// memory; <see cref="ImageFolder.Stream"/> reads them from files when batches need them. Both give the same bits.
/// </summary>
public abstract class LabeledImages : IExamples<Batch<Tensor, IntTensor>>
{
    private protected LabeledImages(string name, IReadOnlyList<string> classNames, Shape imageShape, Normalization normalization)
    {
        Check.That(normalization.Channels == imageShape[2], nameof(LabeledImages),
            $"the normalization is for {normalization.Channels} channels, but the images of {name} have {imageShape[2]}.");
        (Name, ClassNames, ImageShape, Normalization) = (name, classNames, imageShape, normalization);
    }

    /// <summary>The name, e.g. "cifar10".</summary>
    public string Name { get; }

    /// <summary>The names of the classes.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>The shape [H, W, C] of one image.</summary>
    public Shape ImageShape { get; }

    /// <summary>The normalization from bytes to the numbers that a network sees.</summary>
    public Normalization Normalization { get; }

    /// <summary>The number of images, N.</summary>
    public abstract int Count { get; }

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>The height H, in pixels.</summary>
    public int Height => ImageShape[0];

    /// <summary>The width W, in pixels.</summary>
    public int Width => ImageShape[1];

    /// <summary>The number of channels C: 1 for gray images, 3 for RGB.</summary>
    public int Channels => ImageShape[2];

    /// <summary>Returns the bytes [H, W, C] of one image. Several threads may call it at the same time.</summary>
    /// <param name="index">The index of the image, from 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="InvalidFileException">The image is in a file that is damaged.</exception>
    public abstract ReadOnlySpan<byte> Image(int index);

    /// <summary>Returns the class of one image.</summary>
    /// <param name="index">The index of the image, from 0 to <see cref="Count"/> - 1.</param>
    public abstract int Label(int index);

    /// <summary>
    /// Returns the batches of one epoch: images [N, H, W, C] and labels [N]. Give a seed for training, and no seed for evaluation.
    /// <code>foreach (var (images, labels) in train.Batches(128, seed: 1, epoch: e, augmentation: Augmentation.PadCropFlip)) ...</code>
    /// </summary>
    /// <param name="batchSize">The number of images in a batch.</param>
    /// <param name="seed">The seed that shuffles the images, in another order each epoch; null to keep their order.</param>
    /// <param name="epoch">The number of the epoch, from 0. The order and the augmentation depend on it.</param>
    /// <param name="augmentation">The random changes of the images, which need a seed; null for none.</param>
    /// <param name="dropLast">Whether a last batch of fewer images is left out. If false and shuffled, a single image that is left over joins the batch before it, because batch norm cannot compute statistics of one image.</param>
    /// <param name="start">The first batch. It resumes an epoch in the middle with the same bits as without interruption.</param>
    /// <param name="prefetch">The number of batches in preparation at the same time on other threads; null for a number that keeps up with training, 0 to prepare them on the caller's thread. It changes no bit.</param>
    /// <param name="device">The device of the tensors; null for the CPU.</param>
    /// <exception cref="ArgumentException">An argument is out of range, or an augmentation has no seed.</exception>
    public Loader Batches(
        int batchSize, ulong? seed = null, int epoch = 0, Augmentation? augmentation = null, bool dropLast = false,
        int start = 0, int? prefetch = null, Device? device = null) =>
        new(OnHost(augmentation, prefetch, device), new EpochOrder(batchSize, seed, epoch, dropLast, start));

    /// <summary>Returns the data set for batches on a device. Images that are in memory here are kept as bytes on the device, if its memory allows.</summary>
    /// <param name="device">The device of the batches. For the CPU nothing is copied.</param>
    public DeviceDataset To(Device device) => new(this, device);

    IPlacedExamples<Batch<Tensor, IntTensor>> IExamples<Batch<Tensor, IntTensor>>.To(Device device) => To(device);

    /// <summary>Returns the images as training examples that are changed at random.</summary>
    /// <param name="augmentation">The random changes.</param>
    public ImageExamples Augmented(Augmentation augmentation) => new(this, augmentation);

    /// <inheritdoc/>
    public override string ToString() => $"{GetType().Name}({Name}: {Count:N0} images {ImageShape}, {Classes} classes)";

    internal DatasetSource OnHost(Augmentation? augmentation, int? prefetch, Device? device) => new(this, augmentation ?? Augmentation.None, prefetch ?? Ahead, device);

    /// <summary>The number of batches that must be in preparation at the same time so that training does not wait.</summary>
    private protected virtual int Ahead => 2;
}
