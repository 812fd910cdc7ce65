namespace QuadEngine.Data;

/// <summary>An epoch as it was asked for: batches Start to End - 1 of images in an order.</summary>
/// <param name="Order">Which image comes when.</param>
/// <param name="BatchSize">Images in a batch; the last may have fewer, or one more.</param>
/// <param name="Start">The first batch.</param>
/// <param name="End">One past the last.</param>
/// <param name="JoinsLast">The last batch has the one image that is left over too.</param>
/// <param name="Seed">Of the random changes; 0 where there are none.</param>
/// <param name="Epoch">Likewise.</param>
readonly record struct EpochPlan(int[] Order, int BatchSize, int Start, int End, bool JoinsLast, ulong Seed, int Epoch)
{
    public int First(int batch) => batch * BatchSize;

    public int Length(int batch) => JoinsLast && batch == End - 1 ? Order.Length - First(batch) : Math.Min(BatchSize, Order.Length - First(batch));

    /// <summary>Images of the largest batch.</summary>
    public int Longest => JoinsLast ? BatchSize + 1 : Math.Min(BatchSize, Order.Length);
}

/// <summary>Where a <see cref="Loader"/> takes its batches from, each a function of the data, the seed, the epoch and its number.</summary>
abstract class BatchSource
{
    /// <summary>Number of images.</summary>
    public abstract int Count { get; }

    /// <summary>What it draws at random, for a message; null where it draws nothing and needs no seed.</summary>
    public abstract object? Randomness { get; }

    /// <summary>The batches in order.</summary>
    public abstract IEnumerable<Batch<Tensor, IntTensor>> Batches(EpochPlan plan);
}

/// <summary>Batches made on the host: images are written one by one, by several threads at once, ahead of who asks for them.</summary>
abstract class HostSource : BatchSource
{
    readonly int prefetch;
    readonly Device? device;

    protected HostSource(int prefetch, Device? device)
    {
        Check.That(prefetch >= 0, nameof(Batches), $"{nameof(prefetch)} is {prefetch}, expected 0 (prepare on the caller's thread) or more.");
        (this.prefetch, this.device) = (prefetch, device);
    }

    /// <summary>[H, W, C] of every image as the network sees it.</summary>
    public abstract Shape ImageShape { get; }

    /// <summary>The class of an image.</summary>
    public abstract int Label(int image);

    /// <summary>Writes an image, changed and normalized.</summary>
    /// <param name="image">Its index.</param>
    /// <param name="seed">Of the random changes; 0 where there are none.</param>
    /// <param name="epoch">Likewise.</param>
    /// <param name="to">[H, W, C]</param>
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
