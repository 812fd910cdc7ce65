namespace QuadEngine.Data;

/// <summary>The part of an epoch that was requested: batches Start to End - 1 of images in an order.</summary>
/// <param name="Order">The images in the order in which they come.</param>
/// <param name="BatchSize">The number of images in a batch; the last batch may have fewer, or one more.</param>
/// <param name="Start">The first batch.</param>
/// <param name="End">The batch after the last one.</param>
/// <param name="JoinsLast">Whether the last batch also contains the single image that is left over.</param>
/// <param name="Seed">The seed of the random changes; 0 if there are none.</param>
/// <param name="Epoch">The epoch of the random changes; 0 if there are none.</param>
readonly record struct EpochPlan(int[] Order, int BatchSize, int Start, int End, bool JoinsLast, ulong Seed, int Epoch)
{
    public int First(int batch) => batch * BatchSize;

    public int Length(int batch) => JoinsLast && batch == End - 1 ? Order.Length - First(batch) : Math.Min(BatchSize, Order.Length - First(batch));

    /// <summary>The number of images in the largest batch.</summary>
    public int Longest => JoinsLast ? BatchSize + 1 : Math.Min(BatchSize, Order.Length);
}

/// <summary>The source of a <see cref="Loader"/>'s batches. Each batch is a function of the data, the seed, the epoch and the batch's number.</summary>
abstract class BatchSource
{
    /// <summary>The number of images.</summary>
    public abstract int Count { get; }

    /// <summary>The object that draws random numbers, for a message; null if the source draws none and needs no seed.</summary>
    public abstract object? Randomness { get; }

    /// <summary>Returns the batches in order.</summary>
    public abstract IEnumerable<Batch<Tensor, IntTensor>> Batches(EpochPlan plan);
}

/// <summary>Batches made on the host. Several threads write the images, one by one, before the batch is requested.</summary>
abstract class HostSource : BatchSource
{
    readonly int prefetch;
    readonly Device? device;

    protected HostSource(int prefetch, Device? device)
    {
        Check.That(prefetch >= 0, nameof(Batches), $"{nameof(prefetch)} is {prefetch}, expected 0 (prepare on the caller's thread) or more.");
        (this.prefetch, this.device) = (prefetch, device);
    }

    /// <summary>The shape [H, W, C] of every image as the network sees it.</summary>
    public abstract Shape ImageShape { get; }

    /// <summary>Returns the class of an image.</summary>
    public abstract int Label(int image);

    /// <summary>Writes an image, changed and normalized.</summary>
    /// <param name="image">The index of the image.</param>
    /// <param name="seed">The seed of the random changes; 0 if there are none.</param>
    /// <param name="epoch">The epoch of the random changes; 0 if there are none.</param>
    /// <param name="to">The values [H, W, C].</param>
    public abstract void Write(int image, ulong seed, int epoch, Span<float> to);

    public override IEnumerable<Batch<Tensor, IntTensor>> Batches(EpochPlan plan)
    {
        using var batches = new Prefetch<HostBatch>(plan.Start, plan.End, prefetch, () => new HostBatch(plan.Longest, ImageShape), (b, batch) => Prepare(plan, b, batch));
        while (batches.MoveNext())
            yield return batches.Current.ToTensors(device);
    }

    void Prepare(EpochPlan plan, int b, HostBatch batch)
    {
        var length = ImageShape.Elements;
        batch.Count = plan.Length(b);
        for (var i = 0; i < batch.Count; i++)
        {
            var image = plan.Order[plan.First(b) + i];
            Write(image, plan.Seed, plan.Epoch, batch.Images.AsSpan(i * length, length));
            batch.Labels[i] = Label(image);
        }
    }
}

/// <summary>The images of a data set.</summary>
sealed class DatasetSource(LabeledImages data, Augmentation augmentation, int prefetch, Device? device) : HostSource(prefetch, device)
{
    public override int Count => data.Count;

    public override Shape ImageShape => data.ImageShape;

    public override object? Randomness => augmentation.IsRandom ? augmentation : null;

    public override int Label(int image) => data.Label(image);

    public override void Write(int image, ulong seed, int epoch, Span<float> to) =>
        augmentation.Write(data.Image(image), data.ImageShape, image, seed, epoch, data.Normalization.Levels, to);
}
