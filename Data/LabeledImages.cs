namespace QuadEngine.Data;

/// <summary>
/// Labelled images of one size, wherever they are kept: what a network learns from and is judged by. <see cref="ImageDataset"/> holds them in
/// memory; <see cref="ImageFolder.Stream"/> reads them from files as batches need them. Both give the same bits.
/// </summary>
public abstract class LabeledImages : IExamples<Batch<Tensor, IntTensor>>
{
    private protected LabeledImages(string name, IReadOnlyList<string> classNames, Shape imageShape, Normalization normalization)
    {
        Check.That(normalization.Channels == imageShape[2], nameof(LabeledImages),
            $"the normalisation is for {normalization.Channels} channels, but the images of {name} have {imageShape[2]}.");
        (Name, ClassNames, ImageShape, Normalization) = (name, classNames, imageShape, normalization);
    }

    /// <summary>What it is called, e.g. "cifar10".</summary>
    public string Name { get; }

    /// <summary>One name a class.</summary>
    public IReadOnlyList<string> ClassNames { get; }

    /// <summary>[H, W, C], the shape of one image.</summary>
    public Shape ImageShape { get; }

    /// <summary>How bytes become the numbers a network sees.</summary>
    public Normalization Normalization { get; }

    /// <summary>N, the number of images.</summary>
    public abstract int Count { get; }

    /// <summary>The number of classes.</summary>
    public int Classes => ClassNames.Count;

    /// <summary>H, in pixels.</summary>
    public int Height => ImageShape[0];

    /// <summary>W, in pixels.</summary>
    public int Width => ImageShape[1];

    /// <summary>C: 1 for grey images, 3 for RGB.</summary>
    public int Channels => ImageShape[2];

    /// <summary>The bytes [H, W, C] of one image. May be called from several threads at once.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    /// <exception cref="InvalidFileException">The image is in a file that is damaged.</exception>
    public abstract ReadOnlySpan<byte> Image(int index);

    /// <summary>The class of one image.</summary>
    /// <param name="index">From 0 to <see cref="Count"/> - 1.</param>
    public abstract int Label(int index);

    /// <summary>
    /// The batches of one epoch: images [N, H, W, C] and labels [N]. For training give a seed; for evaluation leave it out.
    /// <code>foreach (var (images, labels) in train.Batches(128, seed: 1, epoch: e, augmentation: Augmentation.PadCropFlip)) ...</code>
    /// </summary>
    /// <param name="batchSize">Images in a batch.</param>
    /// <param name="seed">Shuffles the images, another order each epoch; in their own order where it is left out.</param>
    /// <param name="epoch">Which epoch, counted from 0: the order and the augmentation depend on it.</param>
    /// <param name="augmentation">Random changes of the images; none where it is left out. Needs a seed.</param>
    /// <param name="dropLast">Leaves out a last batch with fewer images. Else, shuffled, a single image that is left over joins the batch before it: batch norm has no statistics of one.</param>
    /// <param name="start">The first batch: resumes an epoch in its middle with the bits it would have had.</param>
    /// <param name="prefetch">Batches in preparation at once on other threads, as many as keep up where it is left out; 0 prepares them on the caller's. Changes no bit.</param>
    /// <param name="device">Where the tensors go; the CPU where it is left out.</param>
    /// <exception cref="ArgumentException">An argument is out of range, or an augmentation has no seed.</exception>
    public Loader Batches(
        int batchSize, ulong? seed = null, int epoch = 0, Augmentation? augmentation = null, bool dropLast = false,
        int start = 0, int? prefetch = null, Device? device = null) =>
        new(OnHost(augmentation, prefetch, device), new EpochOrder(batchSize, seed, epoch, dropLast, start));

    /// <summary>The data set for batches on a device, which keeps what is in memory here as bytes there, where its own memory allows.</summary>
    /// <param name="device">Where batches go. For the CPU nothing is copied.</param>
    public DeviceDataset To(Device device) => new(this, device);

    IPlacedExamples<Batch<Tensor, IntTensor>> IExamples<Batch<Tensor, IntTensor>>.To(Device device) => To(device);

    /// <summary>The images as examples to learn from, changed at random in training.</summary>
    /// <param name="augmentation">The random changes.</param>
    public ImageExamples Augmented(Augmentation augmentation) => new(this, augmentation);

    /// <inheritdoc/>
    public override string ToString() => $"{GetType().Name}({Name}: {Count:N0} images {ImageShape}, {Classes} classes)";

    internal DatasetSource OnHost(Augmentation? augmentation, int? prefetch, Device? device) => new(this, augmentation ?? Augmentation.None, prefetch ?? Ahead, device);

    /// <summary>Batches that have to be in preparation at once so that training does not wait.</summary>
    private protected virtual int Ahead => 2;
}
